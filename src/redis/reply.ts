/** What Redis answers over RESP2; an error reply is thrown instead. */
export type Reply = string | number | null | Reply[];
