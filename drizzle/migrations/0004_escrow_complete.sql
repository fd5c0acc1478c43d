ALTER TABLE "receipts" ALTER COLUMN "owner_id" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "receipts" ALTER COLUMN "network" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "receipts" ALTER COLUMN "model" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "receipts" ALTER COLUMN "rate" SET NOT NULL;