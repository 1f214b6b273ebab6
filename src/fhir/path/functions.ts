/**
 * All functions by name.
 * http://hl7.org/fhirpath/N1/#functions, https://hl7.org/fhir/R4/fhirpath.html#functions
 */
import type { PathFunction } from './compiled.ts'
import { COLLECTION_FUNCTIONS } from './functions/collection.ts'
import { CONVERSION_FUNCTIONS } from './functions/conversion.ts'
import { FHIR_FUNCTIONS } from './functions/fhir.ts'
import { ITERATING_FUNCTIONS } from './functions/iterating.ts'
import { MATH_FUNCTIONS } from './functions/math.ts'
import { PRECISION_FUNCTIONS } from './functions/precision.ts'
import { STRING_FUNCTIONS } from './functions/string.ts'
import { TRUTH_FUNCTIONS } from './functions/truth.ts'

export const FUNCTIONS: ReadonlyMap<string, PathFunction> = new Map([
  ...TRUTH_FUNCTIONS,
  ...ITERATING_FUNCTIONS,
  ...COLLECTION_FUNCTIONS,
  ...CONVERSION_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...MATH_FUNCTIONS,
  ...PRECISION_FUNCTIONS,
  ...FHIR_FUNCTIONS,
])
