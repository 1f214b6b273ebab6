/**
 * Conditional references: `Patient?identifier=x` in a transaction becomes a reference to the one resource that matches.
 * https://hl7.org/fhir/R4/http.html#trules
 */
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { mapLinks, placeOfReference } from '../fhir/links.ts'
import type { Key } from '../storage/port.ts'
import { criteriaOf } from './criteria.ts'
import { isType } from './identity.ts'
import { findInOverlay, type Overlay } from './overlay.ts'
import { parsePairs } from './pairs.ts'

const CONDITIONAL = /^([A-Z][A-Za-z]{1,63})\?(.+)$/s

/**
 * Returns the resource with its conditional references resolved, and the keys that they now name. `known` keeps what was found, by the
 * text of the reference.
 *
 * Throws `not-found` (412) where nothing matches, `multiple-matches` (412) where several do, `invalid` for criteria that are none; the
 * expression is the place of the reference.
 */
export async function resolveReferences(
  ctx: Context,
  overlay: Overlay,
  resource: Resource,
  known: Map<string, Promise<Key>>,
): Promise<{ resource: Resource; targets: ReadonlySet<Key> }> {
  const { baseUrl } = ctx.settings
  const relative = (text: string): string =>
    text.startsWith(`${baseUrl}/`) ? text.slice(baseUrl.length + 1) : text
  const asked = new Set<string>()
  mapLinks(resource, (text, kind) => {
    if (kind === 'reference' && text.includes('?') && CONDITIONAL.test(relative(text))) asked.add(text)
    return text
  })
  if (asked.size === 0) return { resource, targets: new Set() }

  const found = new Map<string, Key>()
  for (const text of asked) {
    let key = known.get(text)
    if (key === undefined) {
      key = resolve(ctx, overlay, relative(text))
      known.set(text, key)
    }
    try {
      found.set(text, await key)
    } catch (error) {
      throw atReference(
        error,
        placeOfReference(resource, reference => reference === text),
      )
    }
  }
  const mapped = mapLinks(resource, (text, kind) => (kind === 'reference' ? (found.get(text) ?? text) : text))
  return { resource: mapped, targets: new Set(found.values()) }
}

async function resolve(ctx: Context, overlay: Overlay, text: string): Promise<Key> {
  const [, type, query] = CONDITIONAL.exec(text)!
  if (!isType(ctx, type!)) throw fhirError('invalid', `${type} is no resource type.`)
  const criteria = await criteriaOf(ctx, type!, parsePairs(query!), 'http')
  const found = await findInOverlay(ctx, overlay, criteria, 1)
  if (found.more)
    throw fhirError('multiple-matches', `Several resources of type ${type} match the conditional reference.`)
  const match = found.now[0]
  if (match === undefined)
    throw fhirError('not-found', `No ${type} matches the conditional reference.`, { status: 412 })
  return match.key
}

function atReference(error: unknown, expression: string | undefined): unknown {
  if (!(error instanceof FhirError) || expression === undefined) return error
  const issues = error.issues.map(issue => ({ ...issue, expression }))
  return new FhirError(error.code, issues, { status: error.status })
}
