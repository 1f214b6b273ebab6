/**
 * The invariants of definitions, those that R4 printed with a mistake put right.
 * https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint.expression
 */
import { compilePath, type Path } from './path.ts'

/** As printed, and as what stands beside it in words says. */
const CORRECTED = new Map([
  // que-7: `Boolean` is the type of System, and no answer in a resource is of it.
  ["operator = 'exists' implies (answer is Boolean)", "operator = 'exists' implies (answer is boolean)"],
  // que-12: "more than one".
  [
    'enableWhen.count() > 2 implies enableBehavior.exists()',
    'enableWhen.count() > 1 implies enableBehavior.exists()',
  ],
  // inv-0 of all definitions: a name that only holds such a part is none.
  ["name.matches('[A-Z]([A-Za-z0-9_]){0,254}')", "name.matchesFull('[A-Z]([A-Za-z0-9_]){0,254}')"],
])

/**
 * Returns the expression of an invariant, ready for `holds`: it is broken where that is false. Undefined is no breach: R4's own ref-1 is
 * empty on a Reference without `reference`.
 *
 * Throws PathSyntax as compilePath does.
 */
export const compileInvariant = (expression: string): Path =>
  compilePath(CORRECTED.get(expression) ?? expression)
