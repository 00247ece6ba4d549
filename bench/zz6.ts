import { startPosthorn } from './posthorn.ts'
import { startChild } from './child.ts'
import { LoadResult } from './load.ts'
import { SinkPort, SinkProgress } from './sink.ts'
import { mkdtempSync, rmSync, cpSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { threadTimes } from './process-tree.ts'
const c = new AbortController()
for (const o of process.argv.slice(2)) {
const folder = mkdtempSync('/tmp/zz6-')
{ await using sink = startChild('./sink.ts', c.signal)
await using p = await startPosthorn({folder,sinkPort:await sink.ask({ask:'port'},SinkPort),signal:c.signal}, o)
await using g = startChild('./rest-load.ts', c.signal)
let done=false
const r = g.ask({...p.target,phase:'m',connections:20,messages:5000,seconds:30},LoadResult).then(r=>{done=true;return r},e=>{done=true;console.log(String(e))})
for (let i=0;i<40&&!done;i++){ await sleep(500); const s=await sink.ask({ask:'progress',phase:'m'},SinkProgress); if(i%4===0||done) console.log(i, s.distinct, s.copies) }
if(!done){ console.log('STUCK', threadTimes(p.pids).filter(t=>t.cpuSeconds>0.2).map(t=>t.name+t.cpuSeconds).join(' ')); console.log(p.lastWords().slice(-1500)); cpSync(folder,'/tmp/zz6-stuck',{recursive:true})}
else { const x=await r; console.log(x && {...x, refusals:x.refusals}) }
}
rmSync(folder,{recursive:true})
}
process.exit()
