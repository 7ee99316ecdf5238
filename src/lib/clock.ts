/** Milliseconds since the epoch. A parameter, so that tests can choose it. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * 60 * minute;
