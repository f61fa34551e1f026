def service_effect(*a, **k):
    raise NotImplementedError
