CREATE TABLE "acks" (
	"lease_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"node_id" text NOT NULL,
	"peer_id" text NOT NULL,
	"wall_ms" integer NOT NULL,
	"ttft_ms" integer,
	"prompt_tokens" integer,
	"completion_tokens" integer,
	"outcome" text NOT NULL,
	"request_hash" text NOT NULL,
	"response_hash" text,
	"acked_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "acks_lease_id_seq_node_id_pk" PRIMARY KEY("lease_id","seq","node_id")
);
--> statement-breakpoint
CREATE TABLE "disputes" (
	"lease_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"node_id" text NOT NULL,
	"reasons" text[] NOT NULL,
	"escrowed" bigint NOT NULL,
	"settled" bigint NOT NULL,
	"disputed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "disputes_lease_id_seq_node_id_pk" PRIMARY KEY("lease_id","seq","node_id"),
	CONSTRAINT "disputes_smaller" CHECK ("disputes"."settled" >= 0 and "disputes"."settled" <= "disputes"."escrowed")
);
--> statement-breakpoint
CREATE TABLE "escrows" (
	"lease_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"node_id" text NOT NULL,
	"owner_id" text NOT NULL,
	"amount" bigint NOT NULL,
	"since" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "escrows_lease_id_seq_node_id_pk" PRIMARY KEY("lease_id","seq","node_id")
);
--> statement-breakpoint
CREATE TABLE "ledger_checks" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ledger_checks_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"checked_at" timestamp with time zone DEFAULT now() NOT NULL,
	"offenders" integer NOT NULL,
	"report" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "model_rates" (
	"network" text NOT NULL,
	"model" text NOT NULL,
	"rate" bigint NOT NULL,
	"samples" integer NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "model_rates_network_model_pk" PRIMARY KEY("network","model")
);
--> statement-breakpoint
DROP INDEX "receipts_node_id";--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "owner_id" text;--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "network" text;--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "model" text;--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "rate" bigint;--> statement-breakpoint
ALTER TABLE "acks" ADD CONSTRAINT "acks_lease_id_leases_id_fk" FOREIGN KEY ("lease_id") REFERENCES "public"."leases"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "acks" ADD CONSTRAINT "acks_node_id_peers_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."peers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "acks" ADD CONSTRAINT "acks_peer_id_peers_id_fk" FOREIGN KEY ("peer_id") REFERENCES "public"."peers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "disputes" ADD CONSTRAINT "disputes_receipt" FOREIGN KEY ("lease_id","seq","node_id") REFERENCES "public"."receipts"("lease_id","seq","node_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "disputes" ADD CONSTRAINT "disputes_ack" FOREIGN KEY ("lease_id","seq","node_id") REFERENCES "public"."acks"("lease_id","seq","node_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "escrows" ADD CONSTRAINT "escrows_receipt" FOREIGN KEY ("lease_id","seq","node_id") REFERENCES "public"."receipts"("lease_id","seq","node_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "acks_by_time" ON "acks" USING brin ("acked_at");--> statement-breakpoint
CREATE INDEX "escrows_of_owner" ON "escrows" USING btree ("owner_id","since");--> statement-breakpoint
ALTER TABLE "receipts" ADD CONSTRAINT "receipts_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "receipts_of_owner" ON "receipts" USING btree ("owner_id","settled_at");--> statement-breakpoint
CREATE INDEX "receipts_priced" ON "receipts" USING btree ("network","model","settled_at") WHERE outcome = 'completed' and amount > 0;