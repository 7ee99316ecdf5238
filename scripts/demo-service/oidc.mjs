// The package ships no types; the declarations of what is used here are in oidc.d.mts.
export { errors, Provider } from "oidc-provider";
