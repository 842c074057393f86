/* approval_names.h - words of approvals (approval.h), for who makes them. */
#ifndef POLICY_TRUST_APPROVAL_NAMES_H
#define POLICY_TRUST_APPROVAL_NAMES_H

#define APPROVAL_NAMESPACE "reconcile-approval@v1"
#define APPROVAL_FOLDER "approvals" /* below .reconcile */
#define APPROVAL_BYTES_MAX 32768

#endif
