/**
 * The invariants of definitions, those that R4 printed with a mistake put right.
 * https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint.expression
 */
import { compilePath, type Path } from './path.ts'

const REF_1 =
  "reference.startsWith('#').not() or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))"
const NAME = "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')"
const PERIOD = 'start.hasValue().not() or end.hasValue().not() or (start <= end)'
const PERCENT = 'probability is decimal implies (probability as decimal) <= 100'
const RANGE = 'low.empty() or high.empty() or (low <= high)'

/** As printed, and as what stands beside it in words says. */
const CORRECTED = new Map([
  // que-7: `Boolean` is the type of System, and no answer in a resource is of it.
  ["operator = 'exists' implies (answer is Boolean)", "operator = 'exists' implies (answer is boolean)"],
  // que-12: "more than one".
  [
    'enableWhen.count() > 2 implies enableBehavior.exists()',
    'enableWhen.count() > 1 implies enableBehavior.exists()',
  ],
  // inv-0 of all definitions: a name that only holds such a part is none; and there may be no name.
  [NAME, "name.empty() or name.matchesFull('[A-Z]([A-Za-z0-9_]){0,254}')"],
  // What is not there, or cannot be compared, breaks no rule: these have an empty result then.
  [REF_1, `reference.hasValue().not() or ${REF_1}`],
  [
    "fullUrl.contains('/_history/').not()",
    "fullUrl.hasValue().not() or fullUrl.contains('/_history/').not()",
  ],
  [PERCENT, `probability.empty() or (${PERCENT})`],
  [PERIOD, `${PERIOD} or (start <= end).empty()`],
  [RANGE, `${RANGE} or (low <= high).empty()`],
])

/** Returns the expression of an invariant as it is to be evaluated. */
export const correctedInvariant = (expression: string): string => CORRECTED.get(expression) ?? expression

/**
 * Returns an invariant, ready for `holds`. With what is corrected, none of R4 is empty on an example of HL7's: it is met where the result is
 * true, and broken where it is false.
 *
 * Throws PathSyntax as compilePath does.
 */
export const compileInvariant = (expression: string): Path => compilePath(correctedInvariant(expression))
