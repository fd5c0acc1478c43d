import type { App } from "../app-env";
import { accountPage } from "../account-page";

/** Where a person logs in, approves a machine's code and sees the machines. */
export const ACCOUNT_PATH = "/account";

export function accountPageGet(app: App): void {
  app.get(ACCOUNT_PATH, (c) => {
    const nonce = crypto.randomUUID();
    const allowed = [
      "default-src 'none'",
      `script-src 'nonce-${nonce}'`,
      `style-src 'nonce-${nonce}'`,
      "connect-src 'self'",
      "form-action 'none'",
      "base-uri 'none'",
      // A page around this one could get its buttons pressed.
      "frame-ancestors 'none'",
    ];
    return c.html(accountPage(nonce), 200, {
      "content-security-policy": allowed.join("; "),
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
    });
  });
}
