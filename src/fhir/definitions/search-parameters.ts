/**
 * The search parameters of R4, from the table that `prepare` writes.
 * https://hl7.org/fhir/R4/searchparameter-registry.html
 */
import content from './generated/search-parameters.json' with { type: 'json' }
import type { SearchParameterRow } from './prepare-search-parameters.ts'

/** Every parameter of the registry, sorted by url. */
export const SEARCH_PARAMETERS = content as readonly SearchParameterRow[]
