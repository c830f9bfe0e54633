package whole_test
import ("testing";"runtime";"os";"runtime/pprof";"sync";"rollcall/domain/broker";"rollcall/domain")
func TestZZ(t *testing.T){
 b := t
 runtime.GC(); runtime.GC()
 h := newHouse(b, 10000)
 for i := range 10000 { id := h.device(i); _ = id; ids[i]=id }
 runtime.GC(); runtime.GC()
 f,_ := os.Create("/tmp/rc/before.pb.gz"); pprof.Lookup("heap").WriteTo(f,0); f.Close()
 kept := make([]broker.Session,10000)
 var all sync.WaitGroup
 for p := range 32 { all.Go(func(){ for i:=p;i<10000;i+=32 { s,err := h.Login(b.Context(), broker.Login{Device: ids[i], Service:"im", Account:name(i), Password:password}, &quiet{}); if err!=nil{panic(err)}; s.Receive(b.Context(), broker.Ack{Number:1}); kept[i]=s } }) }
 all.Wait()
 runtime.GC(); runtime.GC()
 f,_ = os.Create("/tmp/rc/after.pb.gz"); pprof.Lookup("heap").WriteTo(f,0); f.Close()
 runtime.KeepAlive(kept)
}
var ids [10000]domain.DeviceID
