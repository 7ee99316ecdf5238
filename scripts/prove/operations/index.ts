import { deleteAccount, lookBack, purgeAtOnce, restore } from "./account.ts";
import { background, purge, remind, rotate } from "./background.ts";
import { callOtherLegs, callService, callSilentService, madeUpPaths, refusedCalls } from "./calling.ts";
import { damage, disconnect, read, reauthorize, refresh, regenerate, revoke } from "./changing.ts";
import { connectByKey, connectWithWrongKey, failToSignIn, oddCallback, signIn } from "./connecting.ts";
import { malformed, strangers } from "./malformed.ts";
import type { Operation } from "./operation.ts";
import { payForIt, webhooks } from "./paying.ts";
import { programs, repeatRequests, wrongTokens } from "./programs.ts";
import { scanning } from "./scanning.ts";
import {
  anyWhileStorageFails,
  connectWhileKvFails,
  newWhileStorageFails,
  oddAddressesWhileStorageFails,
} from "./storage-fails.ts";
import { writeToOperator, writeToSilentDesk } from "./writing.ts";

/** The first ones make what the others use. */
const whileStorageWorks: readonly Operation[] = [
  connectByKey,
  signIn,
  callService,
  refresh,
  regenerate,
  reauthorize,
  connectWithWrongKey,
  failToSignIn,
  oddCallback,
  callOtherLegs,
  callSilentService,
  refusedCalls,
  madeUpPaths,
  malformed,
  strangers,
  read,
  damage,
  disconnect,
  revoke,
  programs,
  wrongTokens,
  repeatRequests,
  lookBack,
  restore,
  purgeAtOnce,
  payForIt,
  webhooks,
  scanning,
  writeToOperator,
  writeToSilentDesk,
  deleteAccount,
  background,
  remind,
  rotate,
  purge,
];

/** Everything that a run does. */
export const operations: readonly Operation[] = [
  ...whileStorageWorks,
  newWhileStorageFails,
  connectWhileKvFails,
  oddAddressesWhileStorageFails,
  anyWhileStorageFails(whileStorageWorks),
];
