package nn_test
import ("testing";"fmt"
 . "github.com/gomlx/gomlx/core/graph"
 "github.com/gomlx/compute"
 "gansim.example/gansim/nn"
)
func TestZZ(t *testing.T){
 b,_:=compute.NewWithConfig("go:ops_sequential")
 e:=MustNewExec(b, func(x *Node) []*Node { y:=nn.ClampTo(x,-1,1); return []*Node{y, Gradient(ReduceAllSum(y),x)[0]}})
 o,err:=e.Call([]float64{-3,-1,-.5,0,.5,1,3})
 fmt.Println(o,err)
}
