/* One probe as an object with operators. `-probe` records its site. `probe | value` does too, and is the value.
 * `0 in probe` asks a question: `is_here` and `begins` are true in the thread and greenlet that the probe belongs to,
 * where `begins` records too, and `known` is always true.
 *
 * A call takes Python several times as long as an operator, and a probe does so little that this is most of its cost.
 *
 * A probe is a constant as `probe_constants.py` describes them: to `marshal` and `pickle` it is no bytes.
 */

#include "native.h"

PyTypeObject *ProbeType;

/* Do what the function of `Probes` does that the probe is named after. */
static PyObject *
record(Probe *self)
{
    int failed;

    if (self->kind == 's') {
        failed = append(self->probes, &self->head, 1);
    } else if (self->kind == 'l') {
        failed = leave_root(self->probes, self->head);
    } else {
        failed = mark(self->probes, self->head);
    }
    return done(self->probes, failed < 0);
}

/* Without this, Python code could make probes without a `Probes` behind them. */
static PyObject *
Probe_new(PyTypeObject *Py_UNUSED(type), PyObject *Py_UNUSED(arguments), PyObject *Py_UNUSED(keywords))
{
    PyErr_SetString(PyExc_TypeError, "a probe is made by the `probe` of its probes");
    return NULL;
}

static PyObject *
Probe_negative(Probe *self)
{
    return record(self);
}

static PyObject *
Probe_or(PyObject *left, PyObject *value)
{
    Probe *self = (Probe *)left;
    PyObject *recorded;

    if (Py_TYPE(left) != ProbeType) {
        Py_INCREF(Py_NotImplemented);
        return Py_NotImplemented;
    }
    recorded = record(self);
    if (recorded == NULL) {
        return NULL;
    }
    Py_DECREF(recorded);
    Py_INCREF(value);
    return value;
}

static int
Probe_contains(Probe *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *recorded;

    if (self->kind == 'k') {
        return 1;
    }
    if (!is_here(self->probes)) {
        return 0;
    }
    if (self->kind == 'b') {
        recorded = record(self);
        if (recorded == NULL) {
            return -1;
        }
        Py_DECREF(recorded);
    }
    return 1;
}

static PyObject *
Probe_reduce(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(protocol))
{
    return Py_BuildValue("O()", &PyBytes_Type);
}

static PyObject *
Probe_compare(PyObject *Py_UNUSED(left), PyObject *Py_UNUSED(right), int Py_UNUSED(operator))
{
    Py_INCREF(Py_NotImplemented);
    return Py_NotImplemented;
}

static Py_hash_t
Probe_hash(PyObject *self)
{
    return (Py_hash_t)((uintptr_t)self >> 4); /* never -1, which would be an error */
}

static void
Probe_dealloc(Probe *self)
{
    Py_XDECREF(self->probes);
    release((PyObject *)self);
}

static PyMethodDef Probe_methods[] = {
    {"__reduce_ex__", Probe_reduce, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Probe_slots[] = {
    {Py_tp_doc, "One probe, as an operator."},
    {Py_tp_new, (void *)Probe_new},
    {Py_tp_dealloc, (void *)Probe_dealloc},
    {Py_tp_methods, Probe_methods},
    {Py_tp_richcompare, (void *)Probe_compare},
    {Py_tp_hash, (void *)Probe_hash},
    {Py_nb_negative, (void *)Probe_negative},
    {Py_nb_or, (void *)Probe_or},
    {Py_sq_contains, (void *)Probe_contains},
    {0, NULL},
};

static PyType_Spec Probe_spec = {
    "fittrace.capture._native.Probe",
    sizeof(Probe),
    0,
    Py_TPFLAGS_DEFAULT,
    Probe_slots,
};

int
make_probe_type(void)
{
    PyObject *bases, *size = PyObject_GetAttrString((PyObject *)&PyByteArray_Type, "__basicsize__");
    Py_ssize_t taken = size == NULL ? -1 : PyLong_AsSsize_t(size);

    Py_XDECREF(size);
    if (taken < 0) {
        return -1;
    }
    if (taken > (Py_ssize_t)offsetof(Probe, probes)) {
        PyErr_SetString(PyExc_ImportError, "a bytearray of this Python is larger than was known");
        return -1;
    }
    bases = PyTuple_Pack(1, &PyByteArray_Type);
    ProbeType = bases == NULL ? NULL : (PyTypeObject *)PyType_FromSpecWithBases(&Probe_spec, bases);
    Py_XDECREF(bases);
    return ProbeType == NULL ? -1 : 0;
}
