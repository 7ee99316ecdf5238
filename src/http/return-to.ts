/** An address that a program on this person's machine listens on (RFC 8252 §7.3), with nothing odd in it. */
export function isLoopbackPort(text: string): boolean {
  return /^http:\/\/(127\.0\.0\.1|\[::1\]):\d{2,5}(\/[\w./-]*)?$/.test(text);
}
