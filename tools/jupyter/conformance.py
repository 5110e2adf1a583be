"""jupyter-kernel-test on the kernel gansim-go: what the protocol asks of a kernel."""

import unittest

import jupyter_kernel_test

PICTURE = """import "github.com/janpfeifer/gonb/gonbui"
gonbui.DisplayPNG([]byte{1, 2, 3})
gonbui.Sync()"""


class Conformance(jupyter_kernel_test.KernelTests):
    kernel_name = "gansim-go"
    language_name = "go"
    file_extension = ".go"
    code_hello_world = 'fmt.Println("hello, world")'
    code_stderr = 'fmt.Fprintln(os.Stderr, "oops")'
    completion_samples = [{"text": 'import "fmt"\n%%\nfmt.Printl', "matches": {"Println"}}]
    complete_code_samples = ["1", 'fmt.Println("{")', "func f() int { return 1 }", "x := 1\nx"]
    incomplete_code_samples = ["for i := range 3 {", "f(1,", "x := `a", "x := 1 +"]
    invalid_code_samples = ["x := 1)", 'x := "a', "%%\nx := := 1"]
    code_generate_error = 'panic("boom")'
    code_execute_result = [
        {"code": "6*7", "result": "42"},
        {"code": "x := []int{1}\nx", "result": "[1]"},
    ]
    code_display_data = [{"code": PICTURE, "mime": "image/png"}]
    code_history_pattern = "6*7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "fmt.Println"
    code_clear_output = 'fmt.Print("\\x1b[2J")'


if __name__ == "__main__":
    unittest.main()
