package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// notebookFile is what a notebook's file holds of interest here.
type notebookFile struct {
	Cells []struct {
		Kind    string   `json:"cell_type"`
		Source  []string `json:"source"`
		Outputs []struct {
			Kind string         `json:"output_type"`
			Data map[string]any `json:"data"`
		} `json:"outputs"`
	} `json:"cells"`
}

// Limits of notebooks: lines of a cell without its imports, and bytes of all files.
const (
	notebookLines = 8
	notebookBytes = 5_000_000
)

// TestNotebooks holds the notebooks to their conventions: prose leads to every cell, cells are short
// and call the library, imports stand first, no output is an error or shows only where it is trusted.
func TestNotebooks(t *testing.T) {
	files, err := filepath.Glob("../../notebooks/*.ipynb")
	if err != nil || len(files) != 7 {
		t.Fatalf("%d notebooks, %v, want 7", len(files), err)
	}
	total := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		total += len(text)
		var book notebookFile
		if err := json.Unmarshal(text, &book); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		checkNotebook(t, filepath.Base(file), book)
	}
	if total > notebookBytes {
		t.Errorf("notebooks have %d bytes together, want at most %d", total, notebookBytes)
	}
}

func checkNotebook(t *testing.T, name string, book notebookFile) {
	t.Helper()
	first := true
	for i, c := range book.Cells {
		if c.Kind != "code" {
			continue
		}
		if i == 0 || book.Cells[i-1].Kind != "markdown" {
			t.Errorf("%s: no prose before cell %d", name, i+1)
		}
		lines := slices.DeleteFunc(slices.Clone(c.Source), func(l string) bool {
			return strings.TrimSpace(l) == "" || first && strings.HasPrefix(l, "import ")
		})
		if len(lines) > notebookLines {
			t.Errorf("%s: cell %d has %d lines, want at most %d", name, i+1, len(lines), notebookLines)
		}
		for _, l := range lines {
			for _, word := range []string{"func ", "type ", "import ", "%", "!"} {
				if strings.HasPrefix(l, word) {
					t.Errorf("%s: cell %d has a line that begins with %q", name, i+1, word)
				}
			}
		}
		for _, o := range c.Outputs {
			if _, html := o.Data["text/html"]; html || o.Kind == "error" {
				t.Errorf("%s: cell %d has saved %s, HTML %v", name, i+1, o.Kind, html)
			}
		}
		first = false
	}
}
