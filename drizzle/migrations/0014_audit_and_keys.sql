CREATE TABLE "audit_events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp with time zone NOT NULL,
	"type" text NOT NULL,
	"user_id" text,
	"peer_id" text,
	"details" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "signing_keys" (
	"kid" text PRIMARY KEY NOT NULL,
	"sealed" text NOT NULL,
	"signs_from" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "peers" ADD COLUMN "suspended_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "peers" ADD COLUMN "suspended_reason" text;--> statement-breakpoint
CREATE INDEX "audit_events_type" ON "audit_events" USING btree ("type","id");--> statement-breakpoint
CREATE INDEX "audit_events_user" ON "audit_events" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "audit_events_peer" ON "audit_events" USING btree ("peer_id","id");--> statement-breakpoint
CREATE INDEX "audit_events_details" ON "audit_events" USING gin ("details" jsonb_path_ops);--> statement-breakpoint
CREATE INDEX "audit_events_at" ON "audit_events" USING brin ("at");--> statement-breakpoint
CREATE INDEX "peers_suspended" ON "peers" USING btree ("id") WHERE "peers"."suspended_at" is not null;--> statement-breakpoint
CREATE INDEX "transfers_operator_grants" ON "transfers" USING btree ("id") WHERE "transfers"."type" = 'operator_grant';--> statement-breakpoint
ALTER TABLE "peers" ADD CONSTRAINT "peers_suspended_why" CHECK (("peers"."suspended_at" is null) = ("peers"."suspended_reason" is null));