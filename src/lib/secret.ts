const redacted = "[secret]";

/**
 * A string that must not be printed. Every implicit conversion (template, JSON, console, Error message)
 * yields `[secret]`; only `reveal()` gives the value, so a reader can search for each place that does.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  get [Symbol.toStringTag](): string {
    return redacted;
  }
}
