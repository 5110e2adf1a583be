package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// ErrLost says that the server ended before it answered.
var ErrLost = errors.New("the model server ended before it answered")

// Conn is a client's connection. It is safe for concurrent use.
type Conn struct {
	Server Greeting

	net   net.Conn
	write sync.Mutex

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan Frame
	lost    bool
}

// greetWithin bounds the time for a server to answer a greeting; it does nothing else before.
const greetWithin = 10 * time.Second

// Dial connects to a socket and greets.
func Dial(socket string, me Greeting) (*Conn, error) {
	raw, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	me.Version, me.PID = Version, os.Getpid()
	c := &Conn{net: raw, waiting: map[uint64]chan Frame{}}
	if err := c.greet(me); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	go c.read()
	return c, nil
}

func (c *Conn) greet(me Greeting) error {
	if err := c.net.SetDeadline(time.Now().Add(greetWithin)); err != nil {
		return err
	}
	body, err := json.Marshal(me)
	if err != nil {
		return err
	}
	if err := Write(c.net, Frame{Head: Head{Kind: Hello, Body: body}}); err != nil {
		return err
	}
	f, err := Read(c.net)
	if err != nil {
		return err
	}
	if f.Kind != Hello {
		return fmt.Errorf("%w: want a greeting, got %q", ErrFrame, f.Kind)
	}
	if err := json.Unmarshal(f.Body, &c.Server); err != nil {
		return fmt.Errorf("%w: %v", ErrFrame, err)
	}
	return c.net.SetDeadline(time.Time{})
}

// read hands answers over until the connection ends.
func (c *Conn) read() {
	for {
		f, err := Read(c.net)
		c.mu.Lock()
		if err != nil {
			c.lost = true
			for id, ch := range c.waiting {
				close(ch)
				delete(c.waiting, id)
			}
			c.mu.Unlock()
			c.net.Close()
			return
		}
		ch := c.waiting[f.ID]
		if f.Kind != Progress {
			delete(c.waiting, f.ID)
		}
		c.mu.Unlock()
		if ch == nil {
			continue // of a request that was given up
		}
		if f.Kind == Progress {
			if len(ch) < progressRoom { // else the caller is busy showing earlier ones
				ch <- f
			}
			continue
		}
		ch <- f // there is room, since this is the only sender
		close(ch)
	}
}

// Lost reports whether the connection has ended.
func (c *Conn) Lost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// Close ends the connection; the server cancels what it still does for it.
func (c *Conn) Close() error { return c.net.Close() }

// progressRoom is how many progress messages may wait; later ones are dropped.
const progressRoom = 16

// Call asks and waits for the answer; show, if not nil, is told of progress, one at a time. When ctx
// ends, the server is told to stop and Call returns at once. The error is a [Fault]'s [*FaultError],
// or wraps [ErrLost] or ctx's.
func (c *Conn) Call(ctx context.Context, verb string, q Query, parts [][]byte,
	show func(s Step, preview []byte)) (Answer, [][]byte, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return Answer{}, nil, fmt.Errorf("wire: %s: %w", verb, err)
	}
	answers := make(chan Frame, progressRoom+1)
	id, err := c.ask(Frame{Head: Head{Kind: Request, Verb: verb, Body: body}, Parts: parts}, answers)
	if err != nil {
		return Answer{}, nil, err
	}
	for {
		select {
		case f, ok := <-answers:
			switch {
			case !ok:
				return Answer{}, nil, ErrLost
			case f.Kind != Progress:
				return conclude(f)
			case show != nil:
				var s Step
				if json.Unmarshal(f.Body, &s) == nil {
					show(s, first(f.Parts))
				}
			}
		case <-ctx.Done():
			c.mu.Lock()
			delete(c.waiting, id)
			c.mu.Unlock()
			c.send(Frame{Head: Head{Kind: Cancel, ID: id}})
			return Answer{}, nil, fmt.Errorf("%s: %w", verb, ctx.Err())
		}
	}
}

func first(parts [][]byte) []byte {
	if len(parts) == 0 {
		return nil
	}
	return parts[0]
}

// ask sends a request under a new number.
func (c *Conn) ask(f Frame, answers chan Frame) (uint64, error) {
	c.mu.Lock()
	if c.lost {
		c.mu.Unlock()
		return 0, ErrLost
	}
	c.next++
	f.ID = c.next
	c.waiting[f.ID] = answers
	c.mu.Unlock()
	return f.ID, c.send(f)
}

func (c *Conn) send(f Frame) error {
	c.write.Lock()
	defer c.write.Unlock()
	err := Write(c.net, f)
	var broken net.Error
	if errors.As(err, &broken) || errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("%w (%v)", ErrLost, err)
	}
	return err
}

// FaultError is a request that the server refused or could not finish.
type FaultError struct{ Fault }

// Error is the server's line.
func (e *FaultError) Error() string { return e.Fault.Error }

func conclude(f Frame) (Answer, [][]byte, error) {
	switch f.Kind {
	case Failure:
		var fault Fault
		if err := json.Unmarshal(f.Body, &fault); err != nil {
			return Answer{}, nil, fmt.Errorf("%w: %v", ErrFrame, err)
		}
		return Answer{}, nil, &FaultError{fault}
	case Result:
		var a Answer
		if err := json.Unmarshal(f.Body, &a); err != nil {
			return Answer{}, nil, fmt.Errorf("%w: %v", ErrFrame, err)
		}
		return a, f.Parts, nil
	}
	return Answer{}, nil, fmt.Errorf("%w: unexpected %q", ErrFrame, f.Kind)
}
