import { onBothEngines } from '#test/stores.ts'
import assert from 'node:assert/strict'
import { statement } from './store.ts'
const put = statement('put','insert into quota_usage (account_id,day,recipients) values ($1,$2,$3) returning day, {now} as now')
const acc = statement('acc','insert into account (id,name,sending_enabled,created_at) values ($1,$2,1,$3)')
onBothEngines('x', async (t,{store, reopen})=>{
  console.log(await store.commit([{statement:acc,params:['a','n',5],rows:1},{statement:put,params:['a',1,2],rows:1}]))
  console.log(JSON.stringify(await store.commit([{statement:put,params:['a',3,2],rows:1}, {statement:put,params:['a',2,2],rows:0}])))
  const all = statement<{day:number}>('all','select * from quota_usage')
  console.log(await store.all(all,[]), await store.get(all,[]))
})
for (let i=0;i<4;i++) onBothEngines('y', async (t,{store, reopen})=>{})
