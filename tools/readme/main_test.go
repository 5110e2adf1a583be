package main

import (
	"encoding/json"
	"os"
	"testing"

	"gansim.example/gansim/experiment"
)

// TestREADMEIsCurrent: the README's numbers are those of the report beside its picture.
func TestREADMEIsCurrent(t *testing.T) {
	b, err := os.ReadFile("../../" + testdata + "/report.json")
	if err != nil {
		t.Fatal(err)
	}
	var r experiment.Report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := fill(string(text), r)
	if err != nil {
		t.Fatal(err)
	}
	if want != string(text) {
		t.Error("README.md is stale: go run ./tools/readme RESULTS")
	}
}
