/* The module `fittrace.capture._native`. */

#include "native.h"

static PyMethodDef functions[] = {
    {"packed", packed, METH_O, NULL},
#if HAS_PINS
    {"pinned", pinned, METH_O, NULL},
#endif
#if HAS_CLOCK
    {"now_ns", now_ns, METH_NOARGS, NULL},
    {"wall_ns", wall_ns, METH_NOARGS, NULL},
#endif
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    "fittrace.capture._native",
    "What is compiled of capture.",
    -1,
    functions,
    NULL,
    NULL,
    NULL,
    NULL,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    PyObject *arrays, *made, *probes, *buffer;

    /* Since Python 3.8 an object of a type that `PyType_FromSpec` makes has a reference to its type. */
    instances_own_their_type = strncmp(Py_GetVersion(), "3.7.", 4) != 0;
    arrays = PyImport_ImportModule("array");
    if (arrays == NULL) {
        return NULL;
    }
    array_type = PyObject_GetAttrString(arrays, "array");
    Py_DECREF(arrays);
    made = PyModule_Create(&module);
#if HAS_CLOCK
    own_clock = made == NULL ? NULL : PyObject_GetAttrString(made, "now_ns");
#endif
    buffer = PyType_FromSpec(&Buffer_spec);
    probes = PyType_FromSpec(&Probes_spec);
    BufferType = (PyTypeObject *)buffer;
    if (array_type == NULL || made == NULL || buffer == NULL || probes == NULL || make_probe_type() < 0) {
        return NULL;
    }
    Py_INCREF(buffer); /* for `BufferType`; `PyModule_AddObject` takes the other reference */
    if (PyModule_AddIntConstant(made, "VERSION", VERSION) < 0) {
        return NULL;
    }
    if (PyModule_AddObject(made, "Buffer", buffer) < 0 || PyModule_AddObject(made, "Probes", probes) < 0) {
        return NULL;
    }
    return made;
}
