/** One open emergency for a patient: the rule that the Tasks of emergencies are written under. */
import type { Context, WriteRule } from '../../context.ts'
import { FhirError } from '../../fhir/error.ts'
import type { Resource } from '../../fhir/json.ts'
import { objects, text } from '../../fhir/tree.ts'
import { criteriaOf, findMatches } from '../../interactions/criteria.ts'
import { resourceOf } from '../../scheduling/calendar.ts'
import type { Live, Require } from '../../storage/port.ts'
import { EMERGENCY } from './names.ts'
import { hashed } from './patient.ts'

/** States of a Task that nobody has closed. */
const OPEN = 'draft,requested,received,accepted,ready,in-progress,on-hold'
/** Open emergencies of persons with one name and telephone that are looked at. */
const MOST = 100

const ABHA = 'abha.'
const CALLED = 'called.'

/** Returns the names of a patient among emergencies: by his ABHAs, and by telephone and name. They tell nobody who he is. */
export async function emergencyKeys(abhas: readonly string[], called: string): Promise<string[]> {
  const names: string[] = []
  for (const abha of abhas) names.push(`${ABHA}${await hashed(['abha', abha])}`)
  return [...names, `${CALLED}${await hashed(['called', called])}`]
}

const keysOf = (task: Resource): string[] =>
  objects(task.identifier).flatMap(one => (one.system === EMERGENCY ? (text(one.value) ?? []) : []))

/** Two emergencies are one patient's who has the same ABHA; or the same telephone and name, and not two ABHAs. */
function isSamePatient(a: readonly string[], b: readonly string[]): boolean {
  const abhas = (keys: readonly string[]): string[] => keys.filter(key => key.startsWith(ABHA))
  if (abhas(a).some(key => b.includes(key))) return true
  if (abhas(a).length > 0 && abhas(b).length > 0) return false
  return a.some(key => b.includes(key))
}

export const emergencyRule: WriteRule = {
  types: new Set(['Task']),
  judge: async (ctx, pending) => {
    const require: Require[] = []
    for (const { before, after } of pending) {
      if (before !== undefined || after === undefined) continue
      for (const key of keysOf(after)) require.push(await noOther(ctx, key, keysOf(after)))
    }
    return { require }
  },
}

/** Returns what must hold so that no other emergency of the patient is open. Throws `conflict` where one is. */
async function noOther(ctx: Context, key: string, own: readonly string[]): Promise<Require> {
  const pairs = [
    ['identifier', `${EMERGENCY}|${key}`],
    ['status', OPEN],
  ] as const
  const criteria = await criteriaOf(ctx, 'Task', pairs, 'Task')
  const rows = (await findMatches(ctx, criteria, MOST)).rows as Live[]
  if (rows.some(row => isSamePatient(keysOf(resourceOf(row)), own)))
    throw new FhirError('conflict', [
      {
        severity: 'error',
        code: 'conflict',
        diagnostics: 'An emergency of this patient is open.',
        expression: 'Task.identifier',
        rule: 'emergency-active',
      },
    ])
  return { is: 'matches', plan: criteria.plan, keys: rows.map(row => row.key), guard: criteria.guard }
}
