CREATE TABLE "signup_invites" (
	"code_hash" text PRIMARY KEY NOT NULL,
	"uses_left" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "signup_invites_uses" CHECK ("signup_invites"."uses_left" >= 0)
);
