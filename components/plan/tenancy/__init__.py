"""What keeps a tenant apart from the others, and what it may use.

Owns the bodies of the objects, as the API takes them: quota, rights, network policies, queue, place at the gateway.
Pure, so components make what stands here and checks compare with it. Services bring their own objects.
"""
