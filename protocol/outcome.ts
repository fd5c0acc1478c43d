/** What a decision came to: a value, or a refusal that is data (`reason`), never prose. */
export type Outcome<Value, Refusal extends { readonly reason: string }> =
  | { readonly ok: true; readonly value: Value }
  | ({ readonly ok: false } & Refusal);
