package weights

// pythonLibrary are the top-level modules of Python's library: sys.stdlib_module_names of CPython
// 3.11, some of Python 2 and of later versions, and packages that run or load what they are given.
var pythonLibrary = wordSet(`
	BaseHTTPServer ConfigParser Queue SimpleHTTPServer SocketServer StringIO __builtin__ __future__
	_abc _aix_support _ast _asyncio _bisect _blake2 _bootsubprocess _bz2 _codecs _codecs_cn
	_codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc
	_compat_pickle _compression _contextvars _crypt _csv _ctypes _curses _curses_panel _datetime
	_dbm _decimal _elementtree _frozen_importlib _frozen_importlib_external _functools _gdbm
	_hashlib _heapq _imp _interpreters _io _json _locale _lsprof _lzma _markupbase _md5 _msi
	_multibytecodec _multiprocessing _opcode _operator _osx_support _overlapped _pickle _posixshmem
	_posixsubprocess _py_abc _pydecimal _pyio _queue _random _scproxy _sha1 _sha256 _sha3 _sha512
	_signal _sitebuiltins _socket _sqlite3 _sre _ssl _stat _statistics _string _strptime _struct
	_symtable _thread _threading_local _tkinter _tokenize _tracemalloc _typing _uuid _warnings
	_weakref _weakrefset _winapi _winreg _zoneinfo abc aifc annotationlib antigravity argparse array
	ast asynchat asyncio asyncore atexit audioop base64 bdb binascii bisect builtins bz2 cPickle
	cProfile cStringIO calendar cffi cgi cgitb chunk cloudpickle cmath cmd code codecs codeop
	collections colorsys commands compileall compiler compression concurrent configparser contextlib
	contextvars copy copy_reg copyreg crypt csv ctypes curses dataclasses datetime dbm decimal
	difflib dill dis distutils doctest dummy_thread email encodings ensurepip enum errno exceptions
	faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt
	getpass gettext glob graphlib grp gzip hashlib heapq hmac html http httplib idlelib ihooks
	imaplib imghdr imp importlib imputil inspect interpreters io ipaddress itertools joblib json
	keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap
	modulefinder msilib msvcrt multiprocessing netrc new nis nntplib nt ntpath nturl2path numba
	numbers opcode operator optparse os os2emxpath ossaudiodev pathlib pdb pickle pickletools pip
	pipes pkg_resources pkgutil platform plistlib popen2 poplib posix posixpath pprint profile
	pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline
	reprlib resource rlcompleter runpy sched secrets select selectors setuptools shelve shlex shutil
	signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants
	sre_parse ssl stat statistics string stringprep struct subprocess sunau symtable sys sysconfig
	syslog tabnanny tarfile telnetlib tempfile termios textwrap thread threading time timeit tkinter
	token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo types typing
	unicodedata unittest urllib urllib2 urlparse uu uuid venv warnings wave weakref webbrowser
	winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo
`)
