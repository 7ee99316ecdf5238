/**
 * The time that an exchange may take. One timer, armed once: moving the deadline to a later moment costs nothing until
 * it fires, which matters where each call of the proxy has one.
 */
export class Deadline {
  readonly controller = new AbortController();
  /** Whether time ran out (as opposed to the caller going away). */
  expired = false;
  #end: number;
  #timer: ReturnType<typeof setTimeout>;

  /** `time` from now, ms. */
  constructor(time: number) {
    this.#end = Date.now() + time;
    this.#timer = setTimeout(() => this.#fire(), time);
  }

  /** Moves the end to `time` ms from now. */
  move(time: number): void {
    const before = this.#end;
    this.#end = Date.now() + time;
    if (this.#end >= before) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fire(), time);
  }

  /** No deadline any more: what follows may take as long as it likes. */
  lift(): void {
    clearTimeout(this.#timer);
  }

  #fire(): void {
    const left = this.#end - Date.now();
    if (left > 0) {
      this.#timer = setTimeout(() => this.#fire(), left);
    } else {
      this.expired = true;
      this.controller.abort();
    }
  }
}
