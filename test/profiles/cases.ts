/** Resources of each profile of ABDM: valid ones, and for each rule one that breaks it (`test/cases/abdm/`). */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type JsonObject, parseJson, type Resource } from '../../src/fhir/json.ts'
import { applyJsonPatch } from '../../src/interactions/json-patch.ts'

const FOLDER = join(import.meta.dirname, '../cases/abdm')

export interface Wrong {
  /** The rule that is broken, as issues name it. */
  rule: string
  severity: 'error' | 'warning'
  /** FHIRPath of the place. */
  at: string
  /** JSON Patch on the full valid resource, as text. */
  patch: string
  resource: Resource
  /** Why HAPI's validator does not see it, where it does not. */
  hapi?: string
}

export interface Case {
  id: string
  profile: string
  valid: readonly (readonly [name: string, resource: Resource])[]
  wrong: readonly Wrong[]
}

const read = (file: string): JsonObject => parseJson(readFileSync(join(FOLDER, file), 'utf8')) as JsonObject

export const cases: readonly Case[] = readdirSync(FOLDER)
  .sort()
  .map(file => {
    const { profile, valid, wrong } = read(file) as JsonObject & { valid: JsonObject; wrong: JsonObject[] }
    return {
      id: file.replace(/\.json$/, ''),
      profile: profile as string,
      valid: Object.entries(valid) as [string, Resource][],
      wrong: wrong.map(({ rule, severity, at, patch, hapi }) => ({
        ...{ rule, at, severity: severity ?? 'error' },
        patch: JSON.stringify(patch),
        // The tree that is patched is read anew each time: a patch changes it.
        resource: applyJsonPatch((read(file).valid as JsonObject).full!, patch!) as Resource,
        ...(hapi !== undefined && { hapi }),
      })) as Wrong[],
    }
  })
