/** As in wrangler.toml: credits that are due move, and what they cost is learned. */
export const SWEEP_CRON = "*/5 * * * *";
/** As in wrangler.toml: the audit of the whole ledger, and what is kept for so long only. */
export const AUDIT_CRON = "17 3 * * *";
/** No cron of Cloudflare's: a self-hosted coordinator that stops waits so for what runs behind answers. */
export const DRAIN_CRON = "drain";
