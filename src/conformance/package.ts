/**
 * FHIR packages that were put into the store: everything of one carries its name and version as a tag, and an ImplementationGuide records it.
 * https://hl7.org/fhir/packages.html, https://hl7.org/fhir/R4/implementationguide.html
 */
import type { Context } from '../context.ts'
import { isObject, parseJson } from '../fhir/json.ts'
import { parseSearch } from '../search/parse.ts'
import { planSearch } from '../search/plan.ts'
import { searchPages } from './search-pages.ts'

/** System of the tag `name#version` on every resource that came with a package. */
export const PACKAGE = 'urn:nadi:package'
/** The same of the record itself, which goes last. */
export const PACKAGE_RECORD = 'urn:nadi:package-record'

const PAGE = 100
/** Anybody who may write may write a record, and every CapabilityStatement lists them. */
const MOST_GUIDES = 1000

/** Returns the canonicals, with version, of the packages that are wholly there, sorted; of more than a thousand no more than that. */
export async function installedGuides(ctx: Context): Promise<string[]> {
  const pairs: [string, string][] = [
    ['_tag', `${PACKAGE_RECORD}|`],
    ['status', 'active'],
  ]
  const { registry, settings } = ctx
  const { plan } = planSearch(parseSearch(pairs), {
    types: ['ImplementationGuide'],
    registry,
    zone: settings.zone,
    baseUrl: settings.baseUrl,
    now: ctx.clock(),
  })
  const guides: string[] = []
  for await (const { rows } of searchPages(ctx, plan, { limit: PAGE })) {
    for (const { text } of rows) {
      const guide = parseJson(text, Number.POSITIVE_INFINITY)
      if (isObject(guide) && typeof guide.url === 'string')
        guides.push(typeof guide.version === 'string' ? `${guide.url}|${guide.version}` : guide.url)
    }
    if (guides.length >= MOST_GUIDES) break
  }
  return guides.slice(0, MOST_GUIDES).sort()
}
