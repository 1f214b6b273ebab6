/**
 * Value sets that exist because their code system does: of SNOMED CT, LOINC, and `?fhir_vs` of any other.
 * https://hl7.org/fhir/R4/snomedct.html#implicit, https://hl7.org/fhir/R4/loinc.html#implicit
 */
import type { JsonObject, Resource } from '../json.ts'
import { shown } from './filter.ts'
import { NotListed } from './not-listed.ts'

const SNOMED = 'http://snomed.info/sct'
const LOINC = 'http://loinc.org'

/**
 * Returns the value set that a canonical says of itself; undefined where it is the name of one that has to be found.
 *
 * Throws NotListed for one in a language that is not understood.
 */
export function implicitValueSet(canonical: string): Resource | undefined {
  if (canonical.startsWith(`${LOINC}/vs`)) return loinc(canonical)
  const mark = canonical.indexOf('?fhir_vs')
  if (mark < 0) return undefined
  const [system, version] = systemOf(canonical.slice(0, mark))
  const query = canonical.slice(mark + '?fhir_vs'.length)
  if (query === '') return valueSet(canonical, system, version)
  const [, kind, code = ''] = /^=(isa|refset|ecl)(?:\/(.*))?$/.exec(query) ?? []
  if (kind === 'ecl')
    throw new NotListed(
      'its expression is in the Expression Constraint Language, which is not understood here; use a ValueSet with filters',
    )
  if (kind === undefined || !/^[^\s/]+$/.test(code))
    throw new NotListed(`${shown(query.slice(1))} is no implicit value set that is understood here`)
  return kind === 'isa'
    ? valueSet(canonical, system, version, { property: 'concept', op: 'is-a', value: code })
    : valueSet(canonical, system, version, { property: 'concept', op: 'in', value: code })
}

/** `http://snomed.info/sct/[module]/version/[date]` is SNOMED CT in a version whose name is that URI. */
function systemOf(uri: string): [string, string | undefined] {
  return uri.startsWith(`${SNOMED}/`) ? [SNOMED, uri] : [uri, undefined]
}

function loinc(canonical: string): Resource | undefined {
  const code = /^\/vs(?:\/([A-Za-z0-9-]+))?$/.exec(canonical.slice(LOINC.length))
  if (code === null) return undefined
  const [, part] = code
  if (part === undefined) return valueSet(canonical, LOINC, undefined)
  // LL: the answers of a list; LP: what is below a part.
  return part.startsWith('LL')
    ? valueSet(canonical, LOINC, undefined, { property: 'LIST', op: '=', value: part })
    : valueSet(canonical, LOINC, undefined, { property: 'concept', op: 'is-a', value: part })
}

const valueSet = (
  url: string,
  system: string,
  version: string | undefined,
  filter?: JsonObject,
): Resource => ({
  resourceType: 'ValueSet',
  url,
  status: 'active',
  compose: {
    include: [{ system, ...(version !== undefined && { version }), ...(filter && { filter: [filter] }) }],
  },
})
