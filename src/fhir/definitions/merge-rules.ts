/**
 * What an element is bound to by a definition and by one that builds on it: always both.
 * https://hl7.org/fhir/R4/profiling.html#cardinality, https://hl7.org/fhir/R4/elementdefinition.html
 */
import type { Rule } from './element-tree.ts'
import type { BindingStrength, Constraint, Slicing, TypeRule } from './structure.ts'

/**
 * Returns the rules of an element: those of the base, narrowed by the differential. Cardinality, length, the strength of a binding and the
 * rules of slicing are never loosened; types, targets, fixed and pattern values are those that the differential names, which R4 obliges to
 * name no others than its base does.
 */
export function mergeRules(base: Rule, diff: Rule): Rule {
  const rule: Rule = { ...base, ...diff }
  const min = tighter(base.min, diff.min, Math.max)
  if (min !== undefined) rule.min = min
  const max = tighter(base.max, diff.max, Math.min)
  if (max !== undefined) rule.max = max
  const length = tighter(base.maxLength, diff.maxLength, Math.min)
  if (length !== undefined) rule.maxLength = length
  if (base.types !== undefined && diff.types !== undefined) rule.types = mergeTypes(base.types, diff.types)
  if (base.constraints !== undefined && diff.constraints !== undefined)
    rule.constraints = mergeConstraints(base.constraints, diff.constraints)
  if (base.binding !== undefined && diff.binding !== undefined)
    rule.binding = mergeBindings(base.binding, diff.binding)
  if (base.slicing !== undefined && diff.slicing !== undefined)
    rule.slicing = mergeSlicing(base.slicing, diff.slicing)
  if (base.modifier || diff.modifier) rule.modifier = true
  if (base.mustSupport || diff.mustSupport) rule.mustSupport = true
  return rule
}

const tighter = (
  base: number | undefined,
  diff: number | undefined,
  pick: (a: number, b: number) => number,
): number | undefined => (base === undefined || diff === undefined ? (diff ?? base) : pick(base, diff))

/** A type that says nothing of profiles or targets leaves those of the base in force. */
function mergeTypes(base: readonly TypeRule[], diff: readonly TypeRule[]): TypeRule[] {
  return diff.map(type => {
    const before = base.filter(({ code }) => code === type.code)
    if (before.length !== 1) return type
    const [{ profiles, targets, aggregation }] = before as [TypeRule]
    return {
      code: type.code,
      profiles: type.profiles.length > 0 ? type.profiles : profiles,
      targets: type.targets.length > 0 ? type.targets : targets,
      aggregation: type.aggregation.length > 0 ? type.aggregation : aggregation,
    }
  })
}

/** Returns all of both; one that the base has in the same words is not repeated. */
export function mergeConstraints(
  base: readonly Constraint[],
  diff: readonly Constraint[],
): readonly Constraint[] {
  const added = diff.filter(
    one => !base.some(({ key, expression }) => key === one.key && expression === one.expression),
  )
  return added.length === 0 ? base : [...base, ...added]
}

const STRENGTHS: readonly BindingStrength[] = ['example', 'preferred', 'extensible', 'required']

type Binding = NonNullable<Rule['binding']>

function mergeBindings(base: Binding, diff: Binding): Binding {
  if (STRENGTHS.indexOf(diff.strength) < STRENGTHS.indexOf(base.strength)) return base
  return { strength: diff.strength, valueSet: diff.valueSet ?? base.valueSet }
}

const RULES: readonly Slicing['rules'][] = ['open', 'openAtEnd', 'closed']

function mergeSlicing(base: Slicing, diff: Slicing): Slicing {
  const same = (one: Slicing['discriminators'][number]) => (other: typeof one) =>
    other.type === one.type && other.path === one.path
  const added = diff.discriminators.filter(one => !base.discriminators.some(same(one)))
  return {
    discriminators: [...base.discriminators, ...added],
    ordered: base.ordered || diff.ordered,
    rules: RULES.indexOf(diff.rules) > RULES.indexOf(base.rules) ? diff.rules : base.rules,
  }
}
