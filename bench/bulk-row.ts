/** The bulk load: transaction Bundles of whole patient records until so many resources are stored. */
import { type BundleSource, fresh, type Template } from './bundles.ts'
import { expect, expectStatus, parse, transactionIds } from './check.ts'
import { seeded } from './random.ts'
import type { Row } from './rows.ts'

interface LoadedPatient {
  id: string
  encounters: number
}

/** Returns the row; it ends with the Bundle that reaches `resources`. */
export function bulkRow(source: BundleSource, resources: number, seed: number): Row {
  const random = seeded(seed + 2)
  const patients: LoadedPatient[] = []
  let next = 0
  let sent = 0
  return {
    name: 'bulk load',
    most: Number.POSITIVE_INFINITY,
    client: () => () => {
      if (sent >= resources) return undefined
      const template = source.templates[next++ % source.templates.length]!
      const { types } = template
      sent += types.length
      return {
        method: 'POST',
        path: '',
        body: fresh(template, random),
        operations: types.length,
        check: answer => {
          const ids = transactionIds(answer, types)
          const id = ids[types.indexOf('Patient')]
          if (id !== undefined) patients.push({ id, encounters: encountersOf(template) })
        },
      }
    },
    /** The encounters of twenty patients are all there and refer to the ids that the server gave. */
    async verify(send) {
      const every = Math.max(1, Math.floor(patients.length / 20))
      for (let i = 0; i < patients.length; i += every) {
        const { id, encounters } = patients[i]!
        const answer = await send('GET', `/Encounter?subject=Patient/${id}&_count=100`)
        expectStatus(answer, 200)
        const found = (parse(answer).entry ?? []).length
        expect(
          found === Math.min(encounters, 100),
          () => `Patient/${id} has ${found} encounters rather than ${encounters}`,
        )
      }
    },
  }
}

const encountersOf = ({ types }: Template) => types.filter(type => type === 'Encounter').length
