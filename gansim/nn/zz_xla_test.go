package nn
import ("testing";"fmt";"time";"os"
 . "github.com/gomlx/gomlx/core/graph"
 "github.com/gomlx/gomlx/core/tensors"
 "github.com/gomlx/compute/shapes"
 "github.com/gomlx/compute/dtypes"
 "gansim.example/kernels")
func xphases(x, w *Node, win window) *Node {
 d, k := x.Shape().Dimensions, w.Shape().Dimensions
 tiles := make([][]*Node, 2)
 for a := range 2 { for b := range 2 {
  sub := win; sub.inputDilation=[2]int{1,1}
  var ax [2]SliceAxisSpec
  for i, p := range [2]int{a,b} {
   r := win.phase(i, k[i], p)
   ax[i]=AxisRange(r[0].tap, r[len(r)-1].tap+1).Stride(2)
   count := win.outputs(i,d[i+1],k[i])/2
   lo := -r[0].offset
   sub.padding[i]=[2]int{lo, count-1+len(r)-lo-d[i+1]}
  }
  tiles[a]=append(tiles[a], convGeneral(x, Slice(w, ax[0], ax[1]), imageAxes(), sub))
 }}
 return interleave(tiles)
}
func xshuffle(x, w *Node, win window) *Node { return nil }
func TestXLA(t *testing.T) {
 b, err := kernels.Open(os.Getenv("GANSIM_TEST_BACKEND")); if err!=nil {t.Fatal(err)}
 win := window{stride:[2]int{1,1},kernelDilation:[2]int{1,1},inputDilation:[2]int{2,2},padding:[2][2]int{{2,2},{2,2}},groups:1}
 for _, s := range [][4]int{{4,96,96,31},{8,128,80,31},{16,80,48,31},{32,32,3,31},{16,80,48,8}} {
  x:=tensors.FromShape(shapes.Make(dtypes.Float32,s[3],s[0],s[0],s[1])); w:=tensors.FromShape(shapes.Make(dtypes.Float32,4,4,s[1],s[2]))
  for _, f := range []struct{n string; f func(x,w *Node) *Node}{{"dilated",func(x,w *Node)*Node{return convGeneral(x,w,imageAxes(),win)}},{"phases",func(x,w *Node)*Node{return xphases(x,w,win)}}} {
   for _, grad := range []bool{false,true} {
   e:=MustNewExec(b, func(x,w *Node)*Node{y:=f.f(x,w); if grad {return Gradient(ReduceAllSum(Square(y)),x)[0]}; return y})
   best:=time.Hour
   for range 15 { st:=time.Now(); o,err:=e.Call(x,w); if err!=nil{t.Fatal(err)}; tensors.MustCopyFlatData[float32](o[0]); best=min(best,time.Since(st)) }
   fl:=2*float64(s[3]*s[0]*s[0]*16*s[1]*s[2])
   fmt.Println(s,f.n,grad,best,fl/best.Seconds()/1e9)
   }
  }
 }
 // 1x1
 for _, s := range [][4]int{{32,64,16,31},{16,128,32,31},{64,24,12,22}} {
  x:=tensors.FromShape(shapes.Make(dtypes.Float32,s[3],s[0],s[0],s[1])); w:=tensors.FromShape(shapes.Make(dtypes.Float32,1,1,s[1],s[2]))
  for _, f := range []struct{n string; f func(x,w *Node) *Node}{{"conv1x1",func(x,w *Node)*Node{return Conv(x,w,ConvOptions{})}},{"dot",func(x,w *Node)*Node{return product(x,taps{w:w},nil)}}} {
   for _, grad := range []bool{false,true} {
   e:=MustNewExec(b, func(x,w *Node)*Node{y:=f.f(x,w); if grad {return Gradient(ReduceAllSum(Square(y)),x)[0]}; return y})
   best:=time.Hour
   for range 15 { st:=time.Now(); o,err:=e.Call(x,w); if err!=nil{t.Fatal(err)}; tensors.MustCopyFlatData[float32](o[0]); best=min(best,time.Since(st)) }
   fmt.Println(s,f.n,grad,best)
   }
  }
 }
}
