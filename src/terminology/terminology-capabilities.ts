/**
 * What this server can do as a terminology server, and which code systems it holds.
 * https://hl7.org/fhir/R4/terminologycapabilities.html
 */
import type { Context } from '../context.ts'
import { builtInNames } from '../fhir/definitions/terminology.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { GRAMMAR_SYSTEMS } from '../fhir/terminology/grammar-systems.ts'
import { stampText } from '../storage/port.ts'

const EXPAND = [
  'activeOnly',
  'check-system-version',
  'count',
  'designation',
  'displayLanguage',
  'exclude-system',
]
EXPAND.push('excludeNested', 'excludeNotForUI', 'filter', 'force-system-version', 'includeDefinition')
EXPAND.push(
  'includeDesignations',
  'limitedExpansion',
  'offset',
  'system-version',
  'url',
  'valueSet',
  'valueSetVersion',
)

/** Returns the statement. Of code systems it names those that are there at start, loaded releases and grammars: what else is stored, a search finds. */
export async function terminologyCapabilities(ctx: Context): Promise<Resource> {
  const { baseUrl } = ctx.settings
  const systems = new Map<string, Set<string>>()
  const add = (uri: string, version: string): void => {
    const versions = systems.get(uri) ?? new Set()
    systems.set(uri, versions)
    if (version !== '') versions.add(version)
  }
  for (const name of builtInNames()) {
    const bar = name.lastIndexOf('|')
    if (name.startsWith('CodeSystem|')) add(name.slice('CodeSystem|'.length, bar), name.slice(bar + 1))
  }
  for (const uri of GRAMMAR_SYSTEMS) add(uri, '')
  const current = new Set<string>()
  for (const { system, version, state } of await ctx.storage.concepts.releases()) {
    if (state === 'current') current.add(`${system}|${version}`)
    if (state === 'current' || state === 'kept') add(system, version)
  }
  const codeSystem: JsonObject[] = [...systems]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([uri, versions]) => ({
      uri,
      ...(versions.size > 0 && {
        version: [...versions].map(code => ({
          code,
          ...(current.has(`${uri}|${code}`) && { isDefault: true }),
        })),
      }),
      subsumption: true,
    }))
  return {
    resourceType: 'TerminologyCapabilities',
    url: `${baseUrl}/metadata?mode=terminology`,
    version: ctx.version,
    name: 'NadiTerminology',
    title: 'Terminology of this server',
    status: 'active',
    date: stampText(ctx.clock()),
    kind: 'instance',
    software: { name: 'Nadi', version: ctx.version },
    implementation: { description: 'Nadi', url: baseUrl },
    codeSystem,
    expansion: {
      hierarchical: true,
      paging: true,
      incomplete: false,
      parameter: EXPAND.map(name => ({ name })),
      textFilter:
        'Every word begins a word of the display or of a designation, or the code; without case, accents and signs.',
    },
    codeSearch: 'explicit',
    validateCode: { translations: true },
    translation: { needsMap: false },
    closure: { translation: false },
  }
}
