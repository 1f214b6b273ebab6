/** Writes `migrations/*.sql` for wrangler from `schema.ts`: `node src/storage/sqlite/node-write-migrations.ts` after a new migration. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MIGRATIONS, migrationFile, migrationText } from './schema.ts'

for (const migration of MIGRATIONS)
  writeFileSync(join(import.meta.dirname, 'migrations', migrationFile(migration)), migrationText(migration))
