/** The profiles that every resource of a type must conform to, by the settings of this server. */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import { structureOf } from './structures.ts'

/** Returns their canonicals by type, in the order of the setting; those that cannot be used are left out, and no write is taken meanwhile. */
export async function profilesInForce(ctx: Context): Promise<Map<string, string[]>> {
  const inForce = new Map<string, string[]>()
  if (ctx.settings.validate !== 'profile') return inForce
  for (const canonical of ctx.settings.profiles) {
    const type = await typeOf(ctx, canonical)
    if (type !== undefined) inForce.set(type, [...(inForce.get(type) ?? []), canonical])
  }
  return inForce
}

/** Returns the canonicals of the setting that cannot be used: while there is one, writes are refused. */
export async function unusableProfiles(ctx: Context): Promise<string[]> {
  if (ctx.settings.validate !== 'profile') return []
  const usable = new Set([...(await profilesInForce(ctx)).values()].flat())
  return ctx.settings.profiles.filter(canonical => !usable.has(canonical))
}

async function typeOf(ctx: Context, canonical: string): Promise<string | undefined> {
  try {
    return (await structureOf(ctx, canonical))?.type
  } catch (error) {
    if (error instanceof FhirError) return undefined
    throw error
  }
}
