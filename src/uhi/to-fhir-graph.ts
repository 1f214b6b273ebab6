/** From a whole order to all the resources that it is, the facility's and the doctor's too. Pure. */
import type { Resource } from '../fhir/json.ts'
import { TAG, UHI } from './codes.ts'
import { idOfResource } from './elements.ts'
import type { OrderGraph, OrderKeys } from './graph.ts'
import type { Order } from './order.ts'
import { appointmentOf, type Envelope } from './to-fhir.ts'
import { locationOf, organizationOf, practitionerOf, serviceOf } from './to-fhir-catalog.ts'
import { chargesOf, invoiceOf } from './to-fhir-invoice.ts'
import { patientOf, statedOf } from './to-fhir-patient.ts'

/** Returns the resources of an order under the ids that `newId` gives. An order that names its provider keeps the provider's id. */
export function graphOf(
  order: Order,
  envelope: Envelope,
  newId: () => string,
): OrderGraph & { patient: Resource } {
  const withId = (resource: Resource): Resource => ({ ...resource, id: resource.id ?? newId() })
  const { provider = {}, fulfillment = {} } = order
  const tags = fulfillment.agent?.tags ?? {}
  const organization = withId(organizationOf(provider, tags[TAG.hfr], tags[TAG.hip]))
  const organizationKey = `Organization/${idOfResource(organization)}`
  const location = provider.location && withId(locationOf(provider.location, organizationKey))
  const practitioner = withId(practitionerOf(fulfillment.agent ?? {}))
  const patient = withId(patientOf(order))
  const ids = Array.from({ length: 1 + (order.quote?.breakup?.length ?? 0) }, newId)
  const keys: OrderKeys = {
    appointment: `Appointment/${newId()}`,
    patient: `Patient/${idOfResource(patient)}`,
    stated: `RelatedPerson/${newId()}`,
    organization: organizationKey,
    location: location && `Location/${idOfResource(location)}`,
    practitioner: `Practitioner/${idOfResource(practitioner)}`,
    invoice: `Invoice/${newId()}`,
    charge: index => `ChargeItem/${ids[index]!}`,
  }
  const under = (key: string, resource: Resource): Resource => ({ ...resource, id: key.split('/')[1]! })
  const careContext = fulfillment.tags?.[TAG.careContext]
  return {
    appointment: under(keys.appointment, appointmentOf(order, envelope, keys)),
    patient,
    stated: under(keys.stated, statedOf(order, keys)),
    organization,
    location,
    practitioner,
    services: (provider.categories ?? []).map(category => withId(serviceOf(category, organizationKey))),
    invoice: under(keys.invoice, invoiceOf(order, keys)),
    charges: chargesOf(order, keys).map((charge, i) => under(keys.charge(i), charge)),
    ...(careContext !== undefined && {
      encounter: {
        resourceType: 'Encounter',
        id: newId(),
        identifier: [{ system: UHI.careContext, value: careContext }],
        status: 'in-progress',
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
        appointment: [{ reference: keys.appointment }],
      },
    }),
  }
}
