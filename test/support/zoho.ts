/** What Zoho's accounts server answers to a refresh token that it takes. `life`: the members that say how long it lives. */
export const zohoToken = (text: string, life: object = { expires_in: 3600 }) => ({
  access_token: text,
  api_domain: "https://www.zohoapis.eu",
  token_type: "Bearer",
  ...life,
});

/** What Zoho Desk answers of a ticket that it filed. */
export const zohoTicket = { id: "1892000000042034", ticketNumber: "101" } as const;
