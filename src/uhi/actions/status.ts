/** status: the order as it is. The answer is on_status. */
import type { Action } from '../act.ts'
import { orderAsked, orderIn, told } from '../act.ts'
import { isDone, leave } from '../once.ts'

export const status: Action = async act => {
  const { ctx, admitted } = act
  const { id } = orderIn(act)
  if (await isDone(ctx, admitted)) return
  const stored = await orderAsked(act, id)
  await leave(ctx, admitted, await told(act, stored, 'on_status'))
}
