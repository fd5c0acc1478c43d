import { createApp } from "#coordinator/app";
import { API_INFO } from "#coordinator/openapi";
import { writeGenerated } from "./generated-file";

const document = createApp().getOpenAPI31Document(API_INFO);
writeGenerated("docs/openapi.json", `${JSON.stringify(document, null, 2)}\n`, "npm run openapi");
