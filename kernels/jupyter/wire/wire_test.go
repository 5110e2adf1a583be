package wire

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
)

var key = []byte("secret")

// request is a message as a client sends it.
func request() Message {
	m := New(Message{}, "execute_request", map[string]any{"code": "1"})
	m.Identities = [][]byte{[]byte("client")}
	m.Buffers = [][]byte{{0, 1}}
	return m
}

func TestRoundTrip(t *testing.T) {
	want := request()
	got, err := Parse(want.Frames(key), key)
	if err != nil {
		t.Fatal(err)
	}
	if got.Header != want.Header || string(got.Content) != `{"code":"1"}` ||
		string(got.Identities[0]) != "client" || len(got.Buffers) != 1 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	answer := New(got, "execute_reply", map[string]any{"status": "ok"})
	back, err := Parse(answer.Frames(key), key)
	if err != nil || back.Parent != want.Header || string(back.Identities[0]) != "client" {
		t.Errorf("got %+v, %v", back, err)
	}
}

func TestForged(t *testing.T) {
	frames := request().Frames(key)
	frames[len(frames)-2] = []byte(`{"code":"2"}`)
	if _, err := Parse(frames, key); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v, want %v", err, ErrSignature)
	}
	if _, err := Parse(frames, nil); err != nil {
		t.Errorf("without a key: %v", err)
	}
}

func TestConnection(t *testing.T) {
	want := Connection{Transport: "tcp", IP: "127.0.0.1", Shell: 5, Key: "k", Scheme: "hmac-sha256"}
	path := filepath.Join(t.TempDir(), "c.json")
	if err := want.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := ReadConnection(path)
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if a := got.Address(got.Shell); a != "tcp://127.0.0.1:5" {
		t.Error(a)
	}
	want.Scheme = "none"
	if err := want.Write(path); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadConnection(path); err == nil {
		t.Error("an unknown scheme was accepted")
	}
}

// FuzzParse checks that frames which parse give the same frames again.
func FuzzParse(f *testing.F) {
	m := request()
	f.Add([]byte("client"), []byte(`{"msg_id":"1"}`), []byte(`{}`), []byte(`{"code":"1"}`), 7)
	f.Add([]byte(m.Content), []byte(m.header), []byte(`null`), []byte(`[`), 3)
	f.Fuzz(func(t *testing.T, id, header, parent, content []byte, n int) {
		frames := [][]byte{id, []byte(delimiter), nil, header, parent, []byte("{}"), content}
		if n >= 0 && n < len(frames) {
			frames = frames[:n]
		}
		m, err := Parse(frames, nil)
		if err != nil {
			return
		}
		again := m.Frames(key)
		if len(again) != len(frames) {
			t.Fatalf("%d frames, want %d", len(again), len(frames))
		}
		back, err := Parse(again, key)
		if err != nil || back.Header != m.Header || !slices.Equal(back.Content, m.Content) {
			t.Fatalf("got %+v, %v, want %+v", back, err, m)
		}
	})
}
