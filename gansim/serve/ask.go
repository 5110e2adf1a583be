package serve

import (
	"context"
	"errors"
	"fmt"

	"gansim.example/gansim/internal/wire"
)

// ErrNone says that no server is running.
var ErrNone = errors.New("serve: no server is running")

// Status is what a server holds and whom it serves.
type Status = wire.Status

// Ask asks the server of a program and a backend for its status; without one, it returns [ErrNone].
func Ask(ctx context.Context, program, backend string) (*Status, error) {
	socket, err := wire.Socket(program, backend)
	if err != nil {
		return nil, err
	}
	c, err := wire.Dial(socket, wire.Greeting{Name: "gansim serve --status"})
	if err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrNone, err)
	}
	defer c.Close()
	a, _, err := c.Call(ctx, "status", wire.Query{}, nil, nil)
	return a.Status, err
}
