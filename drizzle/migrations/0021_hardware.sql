CREATE TABLE "benchmarks" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "benchmarks_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"node_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"version" integer NOT NULL,
	"in_round" boolean NOT NULL,
	"compute_ops" bigint NOT NULL,
	"memory_bytes" bigint NOT NULL,
	"rate" bigint NOT NULL,
	"failure" text,
	CONSTRAINT "benchmarks_failed" CHECK (("benchmarks"."failure" is null) = ("benchmarks"."rate" > 0))
);
--> statement-breakpoint
ALTER TABLE "benchmarks" ADD CONSTRAINT "benchmarks_node_id_peers_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."peers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "benchmarks_of_node" ON "benchmarks" USING btree ("node_id","at");