/** Medicines: asked for, taken, handed out and given. https://hl7.org/fhir/R4/medications-module.html */
import type { JsonObject } from '../../../fhir/json.ts'
import { courseText, doseText, instructionText, timingText } from '../dosage.ts'
import { type Reading, referenceText, subject } from '../reading.ts'
import { type Block, cell, type Row, table } from '../sheet.ts'
import { all, choice, joined, one, text } from '../tree.ts'
import { dateText, timeText } from '../when.ts'
import { conceptsText, conceptText, notesText, quantityText, ratioText, valueText } from '../words.ts'

export function medications(reading: Reading, resources: readonly JsonObject[]): Block[] {
  const columns = ['Medicine', 'Dose', 'When', 'For how long', 'Instructions'].map(title => ({ title }))
  const days = new Set(resources.map(resource => dateText(text(resource, 'authoredOn'), reading.zone)))
  return table(
    columns,
    resources.flatMap(resource => rowsOf(reading, resource, days.size > 1)),
  )
}

/** `dated`: the medicines are of several days, and each says its own. */
function rowsOf(reading: Reading, resource: JsonObject, dated: boolean): Row[] {
  const dosages = ['dosageInstruction', 'dosage'].flatMap(name => all(resource, name))
  const first = subject(resource, medicationText(reading, resource), reasonText(reading, resource))
  const day = dated ? dateText(text(resource, 'authoredOn'), reading.zone) : undefined
  const extra = joined(
    [
      day && `Prescribed ${day}`,
      substitution(resource),
      supplyText(resource),
      notesText(resource),
      givenText(reading, resource),
    ],
    '\n',
  )
  if (dosages.length === 0) return [{ cells: [first, [], [], cell(supplyDuration(resource)), cell(extra)] }]
  return dosages.map((dosage, i) => {
    const plain = one(dosage, 'timing') === undefined && all(dosage, 'doseAndRate').length === 0
    return {
      cells: [
        i === 0 ? first : cell('then'),
        cell(doseText(dosage) ?? quantityText(one(dosage, 'dose'))),
        cell(timingText(dosage, reading.zone) ?? (plain ? text(dosage, 'text') : undefined)),
        cell(courseText(dosage, reading.zone) ?? (i === 0 ? supplyDuration(resource) : undefined)),
        cell(instructionText(dosage), i === 0 ? extra : undefined),
      ],
    }
  })
}

/** Returns the name of the medicine, with its form and strength where the Medication says them. */
export function medicationText(reading: Reading, resource: JsonObject): string | undefined {
  const concept = conceptText(one(resource, 'medicationCodeableConcept'))
  if (concept !== undefined) return concept
  const reference = one(resource, 'medicationReference')
  const medication = reading.resolve(reference, resource)
  const name = text(reference, 'display') ?? conceptText(one(medication, 'code'))
  const strengths = all(medication, 'ingredient').map(each =>
    joined([conceptText(one(each, 'itemCodeableConcept')), ratioText(one(each, 'strength'))], ' '),
  )
  return joined([
    name,
    conceptText(one(medication, 'form')),
    name === undefined ? joined(strengths) : undefined,
  ])
}

function reasonText(reading: Reading, resource: JsonObject): string | undefined {
  const reason =
    conceptsText(resource, 'reasonCode') ??
    joined(all(resource, 'reasonReference').map(each => referenceText(reading, each, resource)))
  return reason === undefined ? undefined : `for ${reason}`
}

const supplyDuration = (resource: JsonObject): string | undefined =>
  quantityText(one(one(resource, 'dispenseRequest'), 'expectedSupplyDuration')) ??
  quantityText(one(resource, 'daysSupply'))

function supplyText(resource: JsonObject): string | undefined {
  const request = one(resource, 'dispenseRequest')
  const amount = quantityText(one(request, 'quantity')) ?? quantityText(one(resource, 'quantity'))
  const repeats = text(request, 'numberOfRepeatsAllowed')
  return joined([
    amount && `Dispense ${amount}`,
    repeats && repeats !== '0' ? `${repeats} ${repeats === '1' ? 'refill' : 'refills'}` : undefined,
  ])
}

function substitution(resource: JsonObject): string | undefined {
  return one(resource, 'substitution')?.allowedBoolean === false ? 'Do not substitute' : undefined
}

/** When it was given or handed out, or since when it is taken. */
function givenText({ zone }: Reading, resource: JsonObject): string | undefined {
  const effective = choice(resource, 'effective')
  const when =
    (effective && valueText(effective[0], effective[1], zone)) ??
    timeText(text(resource, 'whenHandedOver'), zone)
  if (when === undefined) return undefined
  return text(resource, 'resourceType') === 'MedicationStatement' ? `Taken: ${when}` : `Given: ${when}`
}
