/* One probe, as an operator: `-probe` records its site, and so does `probe | value`, which is the value.
 *
 * A call takes Python several times as long as an operator, and most of what a call of so little takes is that.
 */

#include "native.h"

PyTypeObject *ProbeType;

static PyObject *
record(Probe *self)
{
    int failed = self->kind == 's' ? append(self->probes, &self->head, 1) : mark(self->probes, self->head);

    return done(self->probes, failed < 0);
}

/* Without this Python would make probes that belong to no one. */
static PyObject *
Probe_new(PyTypeObject *Py_UNUSED(type), PyObject *Py_UNUSED(arguments), PyObject *Py_UNUSED(keywords))
{
    PyErr_SetString(PyExc_TypeError, "a probe is made by the `probe` of its probes");
    return NULL;
}

static PyObject *
Probe_negative(Probe *self)
{
    if (self->kind != 'b') {
        return record(self);
    }
    return is_here(self->probes) ? as_true(record(self)) : PyBool_FromLong(0);
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

static void
Probe_dealloc(Probe *self)
{
    Py_XDECREF(self->probes);
    release((PyObject *)self);
}

static PyType_Slot Probe_slots[] = {
    {Py_tp_doc, "One probe, as an operator."},
    {Py_tp_new, (void *)Probe_new},
    {Py_tp_dealloc, (void *)Probe_dealloc},
    {Py_nb_negative, (void *)Probe_negative},
    {Py_nb_or, (void *)Probe_or},
    {0, NULL},
};

PyType_Spec Probe_spec = {
    "fittrace.capture._native.Probe",
    sizeof(Probe),
    0,
    Py_TPFLAGS_DEFAULT,
    Probe_slots,
};
