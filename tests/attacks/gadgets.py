"""Names that run, open, import or reach something, called in every way that is known.

A row is an expression; what a refusal names is read from it. Those with a published advisory carry
its id. ``RUNS`` create the marker with ``pickle.loads`` where the module exists; ``QUIET`` would do
something else (a network address that nobody listens at, an empty call), or nothing in every
version: what matters there is that the name is refused before it is imported.
"""

from __future__ import annotations

from collections.abc import Iterator

from attacks.assembler import (
    MARSHALLED,
    NESTED,
    Call,
    Ref,
    names,
    stack_global,
    stream,
)
from attacks.case import REFUSED, UNSAFE, Case

PY, SH, MARKER = "{py}", "{sh}", "{marker}"
_EVAL, _EXEC = Ref("builtins", "eval"), Ref("builtins", "exec")
_SYSTEM = Ref("os", "system")
_OS = Call(Ref("builtins", "__import__"), "os")
_GETATTR = Ref("builtins", "getattr")
_CODE = Call(Ref("builtins", "compile"), PY, "payload", "exec")
_NOWHERE = ("127.0.0.1", 9)


def _ref(dotted: str) -> Ref:
    module, _, name = dotted.rpartition(":")
    return Ref(module, name)


def _call(dotted: str, *args: object) -> Call:
    return Call(_ref(dotted), *args)


RUNS: dict[str, object] = {
    # builtins
    "eval": Call(_EVAL, PY),
    "exec": Call(_EXEC, PY),
    "open": _call("builtins:open", MARKER, "w"),
    "import_getattr": Call(Call(_GETATTR, _OS, "system"), SH),
    "compile_function": Call(_call("types:FunctionType", _CODE, {})),
    "exec_of_code": Call(_EXEC, _CODE),
    "map_in_list": _call("builtins:list", _call("builtins:map", _EVAL, [PY])),
    "filter_in_tuple": _call("builtins:tuple", _call("builtins:filter", _EVAL, [PY])),
    "map_in_set": _call("builtins:set", _call("builtins:map", _EVAL, [PY])),
    "map_in_dict": _call("builtins:dict", _call("builtins:map", _EVAL, [PY])),
    "map_in_ordereddict": _call("collections:OrderedDict", _call("builtins:map", _EVAL, [PY])),
    "map_in_deque": _call("collections:deque", _call("builtins:map", _EVAL, [PY])),
    "map_in_bytes": _call("builtins:bytes", _call("builtins:map", _EVAL, [PY])),
    "starmap": _call("builtins:list", _call("itertools:starmap", _EVAL, [(PY,)])),
    "max_of_map": _call("builtins:any", _call("builtins:map", _EVAL, [PY])),
    "type_call": _call(
        "builtins:list", Call(_ref("builtins:type.__call__"), _ref("builtins:map"), _EVAL, [PY])
    ),
    # commands
    "os_system": Call(_SYSTEM, SH),
    "posix_system": _call("posix:system", SH),
    "os_popen": _call("os:popen", SH),
    "os_open": _call("os:open", MARKER, 65),
    "os_mkdir": _call("os:mkdir", MARKER),
    "os_symlink": _call("os:symlink", "nowhere", MARKER),
    "os_mkfifo": _call("os:mkfifo", MARKER),
    "os_spawnlp": _call("os:spawnlp", 0, "touch", "touch", MARKER),
    "os_posix_spawnp": _call(
        "os:posix_spawnp", "touch", ["touch", MARKER], {"PATH": "/usr/bin:/bin"}
    ),
    "subprocess_run": _call("subprocess:run", ["touch", MARKER]),
    "subprocess_popen": _call("subprocess:Popen", ["touch", MARKER]),
    "subprocess_call": _call("subprocess:call", ["touch", MARKER]),
    "subprocess_check_output": _call("subprocess:check_output", ["touch", MARKER]),
    "subprocess_getoutput": _call("subprocess:getoutput", SH),
    "CVE_2025_67748_GHSA_r7v6_mfhq_g3m2_pty_spawn": _call("pty:spawn", ["touch", MARKER]),
    "GHSA_q77w_mwjj_7mqx_asyncio_subprocess_transport": _call(
        "asyncio.unix_events:_UnixSubprocessTransport._start",
        _call("types:SimpleNamespace"),
        SH,
        True,
        None,
        None,
        None,
        0,
    ),
    "CVE_2026_56315_GHSA_g38g_8gr9_h9xp_uuid": _call("uuid:_get_command_stdout", "touch", MARKER),
    "CVE_2026_56315_GHSA_g38g_8gr9_h9xp_osx_support": _call("_osx_support:_read_output", SH),
    "CVE_2026_56315_GHSA_g38g_8gr9_h9xp_aix_support": _call("_aix_support:_read_cmd_output", SH),
    "CVE_2026_56315_GHSA_g38g_8gr9_h9xp_imaplib": _call("imaplib:IMAP4_stream", SH),
    "CVE_2026_56315_GHSA_g38g_8gr9_h9xp_pyrepl_pager": _call("_pyrepl.pager:pipe_pager", "x", SH),
    "CVE_2026_56315_GHSA_g38g_8gr9_h9xp_test_support": _call(
        "test.support.script_helper:assert_python_ok", "-c", PY
    ),
    "GHSA_m6fh_58r7_x697_posixsubprocess": _call(
        "subprocess:Popen", SH, -1, None, None, None, None, None, True, True
    ),
    "pydoc_pipepager": _call("pydoc:pipepager", "x", SH),
    "pydoc_tempfilepager": _call("pydoc:tempfilepager", "x", SH + ";:"),
    "multiprocessing_spawnv": _call(
        "multiprocessing.util:spawnv_passfds", b"/bin/sh", ["sh", "-c", SH], []
    ),
    "setuptools_spawn": _call("setuptools._distutils.spawn:spawn", ["touch", MARKER]),
    "distutils_spawn": _call("distutils.spawn:spawn", ["touch", MARKER]),
    # reaching further
    "partial": Call(_call("functools:partial", _SYSTEM), SH),
    "partial_of_partial": Call(
        Call(_ref("functools:partial"), _call("functools:partial", _SYSTEM), SH)
    ),
    "functools_reduce": _call("functools:reduce", _EXEC, [PY, {}]),
    "methodcaller": Call(_call("operator:methodcaller", "system", SH), _OS),
    "GHSA_955r_x9j8_7rhh_operator_methodcaller": Call(
        _call("_operator:methodcaller", "system", SH), _OS
    ),
    "attrgetter": Call(Call(_call("operator:attrgetter", "system"), _OS), SH),
    "GHSA_46h3_79wf_xr6c_operator_attrgetter": Call(
        Call(_call("_operator:attrgetter", "system"), _OS), SH
    ),
    "itemgetter_of_sys_modules": Call(
        _call("operator:methodcaller", "system", SH),
        Call(_call("operator:itemgetter", "os"), _ref("sys:modules")),
    ),
    "importlib_import_module": Call(
        Call(_GETATTR, _call("importlib:import_module", "os"), "system"), SH
    ),
    "importlib_private_import": Call(
        Call(_GETATTR, _call("importlib:__import__", "os"), "system"), SH
    ),
    "GHSA_vvpj_8cmc_gx39_pkgutil_resolve_name": Call(
        _call("pkgutil:resolve_name", "os:system"), SH
    ),
    "GHSA_84r2_jw7c_4r5q_pydoc_locate_methodcaller": Call(
        _call("operator:methodcaller", "system", SH), _call("pydoc:locate", "os")
    ),
    "CVE_2026_22608_GHSA_5hvc_6wx8_mvv4_pydoc_ctypes": Call(
        Call(_GETATTR, Call(_call("pydoc:locate", "ctypes.CDLL"), None), "system"),
        Call(_ref("builtins:str.encode"), SH),
    ),
    "GHSA_4675_36f9_wf6r_ctypes_cdll": Call(
        Call(_GETATTR, _call("ctypes:CDLL", None), "system"), _call("builtins:str.encode", SH)
    ),
    "ctypes_pythonapi": _call(
        "ctypes:pythonapi.PyRun_SimpleString", _call("builtins:str.encode", PY)
    ),
    "unittest_mock_importer": Call(
        Call(_GETATTR, _call("unittest.mock:_importer", "os"), "system"), SH
    ),
    "xmlrpc_resolve_dotted_attribute": Call(
        _call("xmlrpc.server:resolve_dotted_attribute", _OS, "system"), SH
    ),
    "logging_config_resolve": Call(
        _call(
            "logging.config:BaseConfigurator.resolve",
            _call("logging.config:BaseConfigurator", {}),
            "os.system",
        ),
        SH,
    ),
    "types_methodtype": Call(_call("types:MethodType", _EVAL, PY)),
    "CVE_2025_67747_GHSA_565g_hwwr_4pp3_marshal_types": Call(
        _call("types:FunctionType", _call("marshal:loads", MARSHALLED), {})
    ),
    "numpy_frompyfunc": Call(_call("numpy:frompyfunc", _EVAL, 1, 1), PY),
    "thread": _call("_thread:start_new_thread", _EXEC, (PY, {})),
    "next_of_map": _call("builtins:next", _call("builtins:map", _EVAL, [PY])),
    "typing_forward_reference": _call(
        "typing:_eval_type", _call("typing:ForwardRef", PY), {}, {}, _call("builtins:frozenset")
    ),
    "concurrent_work_item": _call(
        "concurrent.futures.thread:_WorkItem.run",
        _call(
            "concurrent.futures.thread:_WorkItem",
            _call("concurrent.futures:Future"),
            _EVAL,
            [PY],
            {},
        ),
    ),
    "threading_thread_run": _call(
        "threading:Thread.run", _call("threading:Thread", None, _EVAL, None, (PY,))
    ),
    "multiprocessing_process_run": _call(
        "multiprocessing.process:BaseProcess.run",
        _call("multiprocessing:Process", None, _EVAL, None, (PY,)),
    ),
    # what runs Python
    "CVE_2026_22606_GHSA_wfq2_52f7_7qvj_runpy_run_code": _call("runpy:_run_code", PY, {}),
    "CVE_2026_22607_GHSA_p523_jq9w_64x9_cprofile": _call("cProfile:run", PY, None, -1),
    "GHSA_49gj_c84q_6qm9_cprofile_run": _call("cProfile:run", PY),
    "GHSA_9w88_8rmg_7g2p_cprofile_runctx": _call("cProfile:runctx", PY, {}, {}),
    "GHSA_7wx9_6375_f5wh_profile_run": _call("profile:run", PY),
    "GHSA_x696_vm39_cp64_profile_profile_run": _call(
        "profile:Profile.run", _call("profile:Profile"), PY
    ),
    "GHSA_6vqj_c2q5_j97w_profile_profile_runctx": _call(
        "profile:Profile.runctx", _call("profile:Profile"), PY, {}, {}
    ),
    "GHSA_5qwp_399c_mjwf_trace_run": _call("trace:Trace.run", _call("trace:Trace", 0, 0), PY),
    "GHSA_g344_hcph_8vgg_trace_runctx": _call("trace:Trace.runctx", _call("trace:Trace", 0, 0), PY),
    "bdb_run": _call("bdb:Bdb.runeval", _call("bdb:Bdb"), PY),
    "GHSA_v7x6_rv5q_mhwc_timeit": _call("timeit:timeit", PY, "pass", _ref("time:perf_counter"), 1),
    "GHSA_fqq6_7vqf_w3fg_doctest_debug_script": _call("doctest:debug_script", PY, True),
    "GHSA_cj3c_v495_4xqh_code_runcode": _call(
        "code:InteractiveInterpreter.runcode", _call("code:InteractiveInterpreter"), _CODE
    ),
    "code_runsource": _call(
        "code:InteractiveInterpreter.runsource", _call("code:InteractiveInterpreter"), PY
    ),
    "GHSA_f54q_57x4_jg88_lib2to3_grammar_loads": _call(
        "lib2to3.pgen2.grammar:Grammar.loads", _call("lib2to3.pgen2.grammar:Grammar"), NESTED
    ),
    "pickle_loads": _call("pickle:loads", NESTED),
    "c_pickle_loads": _call("_pickle:loads", NESTED),
    "pickle_python_loads": _call("pickle:_loads", NESTED),
    "multiprocessing_loads": _call("multiprocessing.reduction:ForkingPickler.loads", NESTED),
    "cloudpickle_loads": _call("cloudpickle:loads", NESTED),
    "joblib_cloudpickle_loads": _call("joblib.externals.cloudpickle:loads", NESTED),
    "numpy_runstring": _call("numpy.testing._private.utils:runstring", PY, {}),
    "GHSA_r8g5_cgf2_4m4m_f2py_getlincoef": _call("numpy.f2py.crackfortran:getlincoef", PY, {}),
    "f2py_myeval": _call("numpy.f2py.crackfortran:myeval", PY),
    "interpreters_GHSA_6ggj_6f2q_f7mx": _call(
        "_xxsubinterpreters:run_string", _call("_xxsubinterpreters:create"), PY
    ),
    # what writes files
    "io_fileio": _call("_io:FileIO", MARKER, "w"),
    "io_open": _call("io:open", MARKER, "w"),
    "codecs_open": _call("codecs:open", MARKER, "w"),
    "gzip_open": _call("gzip:open", MARKER, "w"),
    "bz2_file": _call("bz2:BZ2File", MARKER, "w"),
    "lzma_file": _call("lzma:LZMAFile", MARKER, "w"),
    "tarfile_open": _call("tarfile:open", MARKER, "w"),
    "zipfile_open": _call("zipfile:ZipFile", MARKER, "w"),
    "dbm_dumb": _call("sqlite3:connect", MARKER),
    "logging_filehandler": _call("logging:FileHandler", MARKER),
    "urllib_urlretrieve": _call("urllib.request:urlretrieve", "data:,x", MARKER),
    "shutil_copyfile": _call("shutil:copyfile", "/dev/null", MARKER),
    "pathlib_write_text": _call("pathlib:Path.write_text", _call("pathlib:PosixPath", MARKER), "x"),
    "pathlib_touch": _call("pathlib:Path.touch", _call("pathlib:PosixPath", MARKER)),
    "GHSA_m273_6v24_x4m4_distutils_write_file": _call(
        "distutils.file_util:write_file", MARKER, ["x"]
    ),
    "setuptools_write_file": _call("setuptools._distutils.file_util:write_file", MARKER, ["x"]),
    "numpy_memmap": _call("numpy:memmap", MARKER, "uint8", "w+", 0, (1,)),
    "numpy_memmap_by_its_module": _call(
        "numpy._core.memmap:memmap", MARKER, "uint8", "w+", 0, (1,)
    ),
    "numpy_savetxt": _call("numpy:savetxt", MARKER, [1.0]),
    "numpy_tofile": _call("numpy:ndarray.tofile", _call("numpy:array", [1]), MARKER),
    "sklearn_dump_svmlight": _call("sklearn.datasets:dump_svmlight_file", [[1.0]], [1.0], MARKER),
    "joblib_dump": _call("joblib:dump", 1, MARKER),
    "joblib_dump_by_its_module": _call("joblib.numpy_pickle:dump", 1, MARKER),
    # through the libraries whose models are loaded: names with dots, and what they import
    "dotted_sklearn_os_system": Call(Ref("sklearn.datasets._base", "os.system"), SH),
    "dotted_numpy_os_system": Call(Ref("numpy.lib._datasource", "os.system"), SH),
    "dotted_joblib_os_system": Call(Ref("joblib.memory", "os.system"), SH),
    "dotted_os_path": Call(Ref("os", "path.os.system"), SH),
    "dotted_logging_os_system": Call(Ref("logging", "os.system"), SH),
    "module_attribute_sklearn_os": Call(
        Call(_GETATTR, Ref("sklearn.datasets._base", "os"), "system"), SH
    ),
    "dotted_joblib_numpy_pickle_os_system": Call(Ref("joblib.numpy_pickle", "os.system"), SH),
}

QUIET: dict[str, object] = {
    "globals": _call("builtins:globals"),
    "vars_of_a_module": _call("builtins:vars", _OS),
    "setattr": _call("builtins:setattr", _OS, "mlup_attack", 1),
    "input": _call("builtins:input"),
    "breakpoint": _call("builtins:breakpoint"),
    "build_class": _ref("builtins:__build_class__"),
    "memoryview": _call("builtins:memoryview", b"x"),
    "str_format": _call("builtins:str.format", "{0.__class__.__init__.__globals__}", _OS),
    "sys_exit": _call("sys:exit", 0),
    "os_exit": _call("os:_exit", 0),
    "os_abort": _call("os:abort"),
    "os_kill": _call("os:kill", 0, 0),
    "os_environ": _call("os:putenv", "MLUP_ATTACK", "1"),
    "sys_setrecursionlimit": _call("sys:setrecursionlimit", 100000),
    "sys_settrace": _call("sys:settrace", None),
    "sys_modules": _ref("sys:modules"),
    "sys_path_append": _call("sys:path.append", "/nonexistent"),
    "GHSA_mhc9_48gj_9gp3_signal": _call("signal:signal", 10, 1),
    "GHSA_m6fh_58r7_x697_atexit": _call("atexit:register", _SYSTEM, SH),
    "GHSA_m6fh_58r7_x697_site": _call("site:addsitedir", "/nonexistent"),
    "GHSA_m6fh_58r7_x697_fork_exec": _ref("_posixsubprocess:fork_exec"),
    "GHSA_6ggj_6f2q_f7mx_interpreters": _call(
        "_interpreters:run_string", _call("_interpreters:create"), PY
    ),
    "CVE_2025_1716_pip_main": _call("pip:main", ["--version"]),
    "CVE_2025_1716_pip_internal_main": _call("pip._internal:main", ["--version"]),
    "GHSA_xp4f_hrf8_rxw7_CVE_2025_71344_ensurepip": _call("ensurepip:_run_pip", ["--version"]),
    "GHSA_jgw4_cr84_mqxg_GHSA_q77w_asyncio": _call("asyncio:create_subprocess_shell", SH),
    "CVE_2025_46417_ssl_get_server_certificate": _call("ssl:get_server_certificate", _NOWHERE),
    "socket_create_connection": _call("socket:create_connection", _NOWHERE),
    "socket_getaddrinfo": _call("socket:gethostbyname", "localhost"),
    "smtplib": _call("smtplib:SMTP", *_NOWHERE),
    "ftplib": _call("ftplib:FTP", "127.0.0.1"),
    "poplib": _call("poplib:POP3", *_NOWHERE),
    "http_client": _call("http.client:HTTPSConnection", "127.0.0.1"),
    "http_server": _call(
        "http.server:HTTPServer", ("127.0.0.1", 0), _ref("http.server:BaseHTTPRequestHandler")
    ),
    "xmlrpc_client": _call("xmlrpc.client:ServerProxy", "http://127.0.0.1:9"),
    "urllib_urlopen": _call("urllib.request:urlopen", "file:///dev/null"),
    "requests_get": _call("requests.api:get", "http://127.0.0.1:9"),
    "aiohttp": _call("aiohttp.client:ClientSession"),
    "webbrowser_open": _ref("webbrowser:open"),
    "antigravity": _ref("antigravity:webbrowser"),
    "this_module": _ref("this:s"),
    "pdb_run": _call("pdb:run", "0"),
    "pdb_post_mortem": _ref("pdb:post_mortem"),
    "GHSA_3vg9_h568_4w9m_idlelib": _call("idlelib.debugobj:ObjectTreeItem.SetText", None, PY),
    "GHSA_6w4w_5w54_rjvr_idlelib": _call("idlelib.autocomplete:AutoComplete.get_entity", None, PY),
    "GHSA_7cq8_mj8x_j263_idlelib": _call(
        "idlelib.autocomplete:AutoComplete.fetch_completions", None, PY, 0
    ),
    "GHSA_8r4j_24qv_fmq9_idlelib": _call("idlelib.calltip:Calltip.fetch_tip", None, PY),
    "GHSA_9xph_j2h6_g47v_idlelib": _call("idlelib.calltip:get_entity", PY),
    "GHSA_m869_42cg_3xwr_idlelib": _call("idlelib.run:Executive.runcode", None, _CODE),
    "GHSA_j343_8v2j_ff7w_idlelib": _call(
        "idlelib.pyshell:ModifiedInterpreter.runcommand", None, PY
    ),
    "GHSA_3gf5_cxq9_w223_idlelib": _call(
        "idlelib.pyshell:ModifiedInterpreter.runcode", None, _CODE
    ),
    "GHSA_p9w7_82w4_7q8m_lib2to3_make_label": _call(
        "lib2to3.pgen2.pgen:ParserGenerator.make_label", None, None, PY
    ),
    "GHSA_4r9r_ch6f_vxmx_torch_run_cprofile": _call(
        "torch.utils.bottleneck.__main__:run_cprofile", _CODE, {}
    ),
    "GHSA_4whj_rm5r_c2v8_torch_run_autograd_prof": _call(
        "torch.utils.bottleneck.__main__:run_autograd_prof", _CODE, {}
    ),
    "GHSA_86cj_95qr_2p4f_torch_guardbuilder_get": _call(
        "torch._dynamo.guards:GuardBuilder.get", _call("types:SimpleNamespace"), PY
    ),
    "GHSA_f4x7_rfwp_v3xw_torch_symbolic_shapes": _call(
        "torch.fx.experimental.symbolic_shapes:ShapeEnv.evaluate_guards_expression", None, PY, []
    ),
    "GHSA_f745_w6jp_hpxx_torch_collect_env_run": _call("torch.utils.collect_env:run", SH),
    "GHSA_jhph_76pp_mggw_torch_collect_env": _call(
        "torch.utils.collect_env:run_and_read_all", _ref("torch.utils.collect_env:run"), SH
    ),
    "GHSA_h3qp_7fh3_f8h4_torch_basichandlers": _call(
        "torch.utils.data.datapipes.utils.decoder:basichandlers", "pickle", NESTED
    ),
    "GHSA_vr7h_p6mm_wpmh_torch_execwrapper": _call(
        "torch.jit.unsupported_tensor_ops:execWrapper", PY, {}, {}
    ),
    "GHSA_vv6j_3g6g_2pvj_torch_load_config": _call(
        "torch.utils._config_module:ConfigModule.load_config", None, NESTED
    ),
    "torch_inductor_compile_file": _call(
        "torch._inductor.codecache:compile_file", "", "", ["sh", "-c", SH]
    ),
    "torch_load": _call("torch.serialization:load", "/dev/null"),
    "torch_load_short": _call("torch:load", "/dev/null"),
    "torch_save": _call("torch:save", 1, MARKER),
    "torch_hub_load": _call("torch.hub:load", "nowhere/nothing", "x"),
    "torch_hub_download": _call("torch.hub:download_url_to_file", "file:///dev/null", MARKER),
    "torch_jit_load": _call("torch.jit:load", "/dev/null"),
    "torch_jit_script": _call("torch.jit._serialization:load", "/dev/null"),
    "torch_compilation_unit": _call("torch.jit:CompilationUnit", "def f():\n  pass"),
    "torch_ops_load_library": _call("torch:ops.load_library", "/dev/null"),
    "torch_classes_load_library": _call("torch:classes.load_library", "/dev/null"),
    "torch_cpp_extension": _call("torch.utils.cpp_extension:load_inline", "x", ""),
    "torch_model_zoo": _call("torch.utils.model_zoo:load_url", "file:///dev/null"),
    "torch_from_file": _call("torch:from_file", MARKER, True, 1),
    "torch_untyped_storage_from_file": _call("torch:UntypedStorage.from_file", MARKER, True, 1),
    "torch_load_from_bytes": _call("torch.storage:_load_from_bytes", NESTED),
    "torch_rebuild_wrapper": _call(
        "torch._tensor:_rebuild_from_type_v2", _EVAL, _ref("torch:Tensor"), (PY,), None
    ),
    "dotted_torch_os_system": Call(Ref("torch.serialization", "os.system"), SH),
    "dotted_torch_hub_sys": Ref("torch.hub", "sys.modules"),
    "dotted_numpy_f2py": Ref("numpy.f2py", "subprocess.run"),
    "dotted_scipy_sys": Ref("scipy", "sys.modules"),
    "dotted_lightgbm_ctypes": Call(Ref("lightgbm.basic", "ctypes.CDLL"), None),
    "dotted_lightgbm_path": Ref("lightgbm.basic", "Path.touch"),
    "dotted_class_globals": Ref("sklearn.base", "BaseEstimator.__init__.__globals__"),
    "dotted_class_subclasses": Call(Ref("builtins", "object.__subclasses__")),
    "dotted_class_setstate": Ref(
        "sklearn.linear_model._logistic", "LogisticRegression.__setstate__"
    ),
    "dotted_method_of_a_listed_class": Call(Ref("numpy", "ndarray.tofile"), 1, MARKER),
    "dotted_ordereddict_fromkeys": Call(Ref("collections", "OrderedDict.fromkeys"), [1]),
    "dotted_dtype_newbyteorder": Call(Ref("numpy", "dtype.newbyteorder"), 1),
    "numpy_load": _call("numpy:load", "/dev/null", None, True),
    "numpy_fromfile": _call("numpy:fromfile", "/dev/null"),
    "numpy_loadtxt": _call("numpy:loadtxt", "/dev/null"),
    "numpy_datasource": _call("numpy.lib._datasource:open", "/dev/null"),
    "numpy_ctypeslib": _call("numpy.ctypeslib:load_library", "libc", "."),
    "numpy_f2py_eval_length": _call("numpy.f2py.crackfortran:_eval_length", PY, {}),
    "numpy_f2py_compile": _call("numpy.f2py:run_main", ["-h"]),
    "numpy_seterrcall": _call("numpy:seterrcall", _EVAL),
    "numpy_random_seed": _call("numpy.random:seed", 1),
    "numpy_set_printoptions": _call("numpy:set_printoptions", 1),
    "scipy_loadmat": _call("scipy.io:loadmat", "/dev/null"),
    "pandas_read_pickle": _call("pandas:read_pickle", "/dev/null"),
    "pandas_read_pickle_by_its_module": _call("pandas.io.pickle:read_pickle", "/dev/null"),
    "pandas_eval": _call("pandas:eval", "1"),
    "pandas_read_csv": _call("pandas:read_csv", "/dev/null"),
    "joblib_load": _call("joblib:load", "/dev/null"),
    "joblib_load_by_its_module": _call("joblib.numpy_pickle:load", "/dev/null"),
    "joblib_memory": _call("joblib:Memory", None),
    "joblib_wrap_reduce": _call(
        "joblib.externals.loky.cloudpickle_wrapper:CloudpickledObjectWrapper", 1
    ),
    "loky_spawn": _ref("joblib.externals.loky.backend.fork_exec:fork_exec"),
    "sklearn_load_files": _call("sklearn.datasets:load_files", "/nonexistent"),
    "sklearn_fetch_openml": _ref("sklearn.datasets:fetch_openml"),
    "sklearn_set_config": _call("sklearn:set_config", True),
    "cloudpickle_make_function": _ref("cloudpickle.cloudpickle:_make_function"),
    "cloudpickle_builtin_type": _call("cloudpickle.cloudpickle:_builtin_type", "CodeType"),
    "cloudpickle_subimport": _call("cloudpickle.cloudpickle:subimport", "os"),
    "cloudpickle_dynamic_class": _ref("cloudpickle.cloudpickle:_make_skeleton_class"),
    "dill_create_function": _ref("dill._dill:_create_function"),
    "dill_import_module": _call("dill._dill:_import_module", "os"),
    "dill_loads": _call("dill:loads", NESTED),
    "copyreg_pickle": _call("copyreg:pickle", _ref("builtins:int"), _EVAL),
    "copyreg_newobj": _call("copyreg:__newobj__", _ref("builtins:bytearray"), 1),
    "copyreg_newobj_ex": _call("copyreg:__newobj_ex__", _ref("builtins:bytearray"), (1,), {}),
    "weakref_finalize": _ref("weakref:finalize"),
    "gc_get_objects": _call("gc:get_objects"),
    "inspect_getmodule": _ref("inspect:currentframe"),
    "logging_config_dict": _call("logging.config:dictConfig", {"version": 1}),
    "logging_config_listen": _ref("logging.config:listen"),
    "shutil_rmtree": _call("shutil:rmtree", MARKER),
    "tempfile_mkdtemp": _call("tempfile:mkdtemp", None, None, "/nonexistent"),
    "os_remove": _call("os:remove", MARKER),
    "os_rename": _call("os:rename", MARKER, MARKER),
    "glob": _call("glob:glob", "/nonexistent/*"),
    "codeop_compile": _call("codeop:compile_command", "0"),
    "compileall": _call("compileall:compile_file", "/nonexistent"),
    "py_compile": _ref("py_compile:compile"),
    "venv_create": _ref("venv:create"),
    "zipimport": _call("zipimport:zipimporter", "/nonexistent"),
    "dis": _call("dis:dis", "0"),
    "platform_popen": _ref("platform:popen"),
    "multiprocessing_connection": _call("multiprocessing.connection:Client", _NOWHERE),
    "concurrent_executor": _call("concurrent.futures:ThreadPoolExecutor", 1),
    "random_seed": _call("random:seed", 1),
    "warnings_filter": _call("warnings:simplefilter", "ignore"),
    "locale": _call("locale:setlocale", 6, "C"),
    "shelve": _ref("shelve:open"),
    "code_type": _ref("types:CodeType"),
    "module_type": _call("types:ModuleType", "x"),
    "namedtuple": _call("collections:namedtuple", "x", "y"),
    "make_dataclass": _call("dataclasses:make_dataclass", "X", ["y"]),
    "type_three_arguments": _call("builtins:type", "X", (), {}),
    "types_new_class": _call("types:new_class", "X"),
    "tensorflow_py_function": _ref("tensorflow:py_function"),
    "keras_lambda_deserialize": _ref("keras.src.layers.core.lambda_layer:Lambda"),
    "keras_load_model": _ref("keras.models:load_model"),
    "onnx_load": _ref("onnx:load"),
    "xgboost_booster_file": _call("xgboost.core:Booster", None, (), MARKER),
    "lightgbm_load_lib": _ref("lightgbm.libpath:find_lib_path"),
    "mlup_load": _call("mlup.loading:load", "/dev/null"),
    "mlup_load_short": _call("mlup:load", "/dev/null"),
    "mlup_registry": _ref("mlup.registry:refresh"),
    # Python 2
    "python2_eval": _call("__builtin__:eval", PY),
    "python2_apply": _call("__builtin__:apply", _EVAL, [PY]),
    "python2_execfile": _call("__builtin__:execfile", "/dev/null"),
    "python2_file": _call("__builtin__:file", MARKER, "w"),
    "python2_reduce": _call("__builtin__:reduce", _EXEC, [PY, {}]),
    "python2_commands": _call("commands:getoutput", SH),
    "python2_popen2": _call("os:popen2", SH),
    "python2_popen3": _call("os:popen3", SH),
    "python2_popen2_module": _call("popen2:popen2", SH),
    "python2_httplib": _call("httplib:HTTPSConnection", "127.0.0.1"),
    "python2_urllib2": _call("urllib2:urlopen", "file:///dev/null"),
    "python2_urllib": _call("urllib:urlretrieve", "data:,x", MARKER),
    "python2_cpickle": _call("cPickle:loads", NESTED),
    "python2_copy_reg": _call("copy_reg:add_extension", "os", "system", 240),
    "python2_thread": _call("thread:start_new_thread", _EVAL, (PY,)),
    "nt_system": _call("nt:system", SH),
}

# What Python 3 calls them: a refusal may name either.
_TODAY = {
    "__builtin__.eval": "builtins.eval",
    "__builtin__.apply": "builtins.apply",
    "__builtin__.execfile": "builtins.execfile",
    "__builtin__.file": "builtins.file",
    "__builtin__.reduce": "functools.reduce",
    "commands.getoutput": "subprocess.getoutput",
    "httplib.HTTPSConnection": "http.client.HTTPSConnection",
    "urllib2.urlopen": "urllib.request.urlopen",
    "urllib.urlretrieve": "urllib.request.urlretrieve",
    "cPickle.loads": "pickle.loads",
    "copy_reg.add_extension": "copyreg.add_extension",
    "thread.start_new_thread": "_thread.start_new_thread",
}


def expected(value: object) -> tuple[str, ...]:
    """What a refusal may name: any name of the expression, in both Pythons' spelling."""
    found = names(value)
    return (*found, *(_TODAY[name] for name in found if name in _TODAY))


def cases() -> Iterator[Case]:
    """Each by GLOBAL in protocol 4; those that run also as STACK_GLOBAL and through joblib."""
    for name, value in RUNS.items():
        yield Case(
            f"gadget_{name}",
            lambda marker, value=value: stream(value, marker),  # type: ignore[misc]
            names=expected(value),
            binarizers=("pickle", "joblib"),
            runs="pickle",
        )
    for name, value in QUIET.items():
        yield Case(
            f"gadget_{name}",
            lambda marker, value=value: stream(value, marker, named=stack_global),  # type: ignore[misc]
            names=expected(value),
            needs=("torch",) if name == "torch_rebuild_wrapper" else (),  # its function is listed
            must=REFUSED if "xgboost" in name else UNSAFE,  # it may not be installed
            binarizers=("pickle", "joblib"),
        )
