import type { User } from "../store/users.ts";
import type { Owner } from "./mint.ts";

/** The user whose request it is, and who acts for them. */
export type Caller = User & Owner;
