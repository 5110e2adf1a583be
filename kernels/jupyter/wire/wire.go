// Package wire reads and writes the messages of Jupyter's protocol as frames of ZeroMQ.
// See https://jupyter-client.readthedocs.io/en/stable/messaging.html#the-wire-protocol
package wire

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Version is the protocol's version that new messages declare.
const Version = "5.3"

// delimiter stands between the routing identities and the message.
const delimiter = "<IDS|MSG>"

// ErrSignature says that a message was not signed with the connection's key.
var ErrSignature = errors.New("wire: signature does not match")

// Header describes a message.
type Header struct {
	ID       string `json:"msg_id"`
	Username string `json:"username"`
	Session  string `json:"session"`
	Type     string `json:"msg_type"`
	Version  string `json:"version"`
	Date     string `json:"date"`
}

// Message is a message with its parts as they were sent; Header and Parent are the parsed first two.
type Message struct {
	Identities [][]byte // of the route, or the topic of a published message
	Header     Header
	Parent     Header
	Metadata   json.RawMessage
	Content    json.RawMessage
	Buffers    [][]byte

	header, parent json.RawMessage // as received
}

// Parse checks the signature of a message and takes it apart. An empty key accepts every signature.
func Parse(frames [][]byte, key []byte) (Message, error) {
	var m Message
	i := 0
	for i < len(frames) && string(frames[i]) != delimiter {
		i++
	}
	if len(frames)-i < 6 {
		return m, fmt.Errorf("wire: %d frames after the route, want 6 or more", len(frames)-i)
	}
	m.Identities = frames[:i]
	parts := frames[i+2 : i+6]
	if len(key) > 0 {
		got, err := hex.DecodeString(string(frames[i+1]))
		if err != nil || !hmac.Equal(got, sum(parts, key)) {
			return m, ErrSignature
		}
	}
	for _, p := range parts {
		if !json.Valid(p) {
			return m, errors.New("wire: a part is not JSON")
		}
	}
	m.header, m.parent, m.Metadata, m.Content = parts[0], parts[1], parts[2], parts[3]
	m.Buffers = frames[i+6:]
	if err := json.Unmarshal(m.header, &m.Header); err != nil {
		return m, fmt.Errorf("wire: header: %w", err)
	}
	if err := json.Unmarshal(m.parent, &m.Parent); err != nil {
		return m, fmt.Errorf("wire: parent header: %w", err)
	}
	return m, nil
}

// Frames signs the message and puts it together.
func (m Message) Frames(key []byte) [][]byte {
	parts := [][]byte{m.header, m.parent, m.Metadata, m.Content}
	for i, p := range parts {
		if len(p) == 0 {
			parts[i] = []byte("{}")
		}
	}
	signature := []byte{}
	if len(key) > 0 {
		signature = []byte(hex.EncodeToString(sum(parts, key)))
	}
	frames := append([][]byte{}, m.Identities...)
	frames = append(frames, []byte(delimiter), signature)
	return append(append(frames, parts...), m.Buffers...)
}

// New makes a message of a type in answer to another. The parent's identities are taken over, so that it
// finds its way back.
func New(parent Message, kind string, content any) Message {
	m := Message{Identities: parent.Identities, Parent: parent.Header, parent: parent.header,
		Header: Header{ID: ID(), Username: parent.Header.Username, Session: parent.Header.Session,
			Type: kind, Version: Version, Date: time.Now().UTC().Format(time.RFC3339Nano)}}
	m.header = encode(m.Header)
	m.Content = encode(content)
	return m
}

// With is the message with other content.
func (m Message) With(content any) Message {
	m.Content = encode(content)
	return m
}

// encode writes JSON; what a program sends can always be written.
func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("wire: %w", err))
	}
	return b
}

// ID is a new random name for a message, a session or a key.
func ID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func sum(parts [][]byte, key []byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
