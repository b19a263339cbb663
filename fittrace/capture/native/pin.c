/* Pins: keep a file open, and so its lock held, when the program closes the descriptor.
 *
 * A pin is a memory mapping of the file. It needs no descriptor, and a forked child does not inherit it.
 */

#include "native.h"

#if HAS_PINS

typedef struct {
    void *memory;
    pid_t process;
} Pin;

static const char name[] = "fittrace.capture._native.pin";

static void
unpin(PyObject *capsule)
{
    Pin *pin = PyCapsule_GetPointer(capsule, name);

    if (pin == NULL) {
        PyErr_Clear();
        return;
    }
    if (pin->process == getpid()) {
        munmap(pin->memory, 1);
    }
    PyMem_Free(pin);
}

PyObject *
pinned(PyObject *Py_UNUSED(module), PyObject *descriptor)
{
    long number = PyLong_AsLong(descriptor);
    PyObject *capsule;
    Pin *pin;

    if (number == -1 && PyErr_Occurred()) {
        return NULL;
    }
    pin = PyMem_Malloc(sizeof(Pin));
    if (pin == NULL) {
        return PyErr_NoMemory();
    }
    pin->process = getpid();
    pin->memory = mmap(NULL, 1, PROT_NONE, MAP_SHARED, (int)number, 0);
    if (pin->memory == MAP_FAILED) {
        PyMem_Free(pin);
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (madvise(pin->memory, 1, MADV_DONTFORK) != 0) {
        munmap(pin->memory, 1);
        PyMem_Free(pin);
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    capsule = PyCapsule_New(pin, name, unpin);
    if (capsule == NULL) {
        munmap(pin->memory, 1);
        PyMem_Free(pin);
    }
    return capsule;
}

#endif
