"""What `tuner new` writes: a head, a `[[search]]` for each family, and a tail, with places for what is chosen."""

from __future__ import annotations

# A tab stands where a line's comment begins.
HEAD = """# Made by `tuner new {name}` from a look at the data; change whatever you like.
# Dry run: tuner space {name}   Start: tuner run {name}
# {images:,} training images of {height}x{width}x{channels}, {classes} classes of {each} images.{unbalanced}
title = {title}
dataset = {source}
# Or a list; known by name: {known}.
{folder}seed = 0
repeats = 5\t# retrainings of each winner; more show smaller differences
{validation}
{objective}
# protocol = "published"\t# chooses on the test set, as many studies do
# watch = ["first"]\t# kernel and gradient of a layer by epoch

[training]
optimizer = "adam"\t# rmsprop, adam, adamw, sgd (then: momentum = 0.9)
learning_rate = 1e-3\t# searched where [search.space] has a list of it
batch_size = {batch}\t# smaller for few images, larger for many
epochs = {epochs}\t# at most; more for few images, fewer for many
early_stopping = "val_loss"\t# or objective, val_accuracy, off; the best epoch's weights count
patience = {patience}\t# epochs without improvement
{flip}
# rotation = 10.0\t# degrees; also shift = 0.1, zoom = 0.1, crop = 4 (pixels)
# brightness = 0.2	# lighter or darker; also contrast = 0.2, erasing = 0.25 (share of images)
# mixup = 0.2	# blends images and labels; also cutmix = 1.0
# schedule = "cosine"\t# of the learning rate; or "steps"
# label_smoothing = 0.1\t# against overconfidence
{weights}
"""
ANN = """
# The baseline: dense layers alone. What do convolutions add to it?
[[search]]
family = "ann"
{algorithm}
[search.space]
dense_depth = [1, 2]\t# dense layers before the softmax
dense_units = [{units}, {units_twice}]\t# for {inputs:,} inputs and {classes} classes
dropout = {rates}\t# share of units dropped before the softmax
[search.rules]
where = ["dense_depth == 1 or dense_units >= dense_units_2"]
"""
CNN = """
# Convolutions, as deep as the images allow.
[[search]]
family = "cnn"
{algorithm}
[search.space]
conv_depth = {depths}\t# convolutions; the pools between {deepest} leave {left} pixels of {side}
filters_1 = {first}\t# of the first convolution
filters = {later}\t# of the others; or filters_2, filters_3, … one by one
padding = "same"\t# or "valid", which shrinks the maps and fits fewer convolutions
batch_norm = {norm}
head = {head}\t# "flatten", or "average": a small dense layer for large images
dense_units = [{dense}, {dense_twice}]\t# for {classes} classes
dropout = {rates}\t# share of units dropped before the dense layer
[search.rules]
filters_never_decrease = true
"""
LENET = """
# LeNet-5, made for small grey images.
[[search]]
family = "lenet"
{algorithm}
[search.space]
activation = ["tanh", "relu"]\t# LeCun's, and today's; also leaky_relu, elu, sigmoid
pooling = ["average", "max"]\t# LeCun's, and today's
"""
RESNET = """
# He et al.'s residual networks for small colour images.
[[search]]
family = "resnet_cifar"
{algorithm}
[search.space]
depth = {resnets}\t# 6n + 2: 8, 14, 20, 26, 32, …; deeper is slower
width = {factor}\t# factor on its 16, 32 and 64 filters
"""
PRETRAINED = """
# A head on a network that has seen a million photographs: hard to beat with few of your own.
[[search]]
family = "pretrained"
{algorithm}
[search.space]
backbone = "mobilenet_v2"\t# small and quick; others: docs/photographs.md
alpha = 1.0\t# its width; 0.35 is eight times as quick
weights = "imagenet"\t# Keras downloads them once; or an .h5 file beside this one
# resize = {resizes}\t# image sizes to try; image_size has to be the largest
# fine_tune = 0.1\t# share of its layers that learn, too, at a small learning_rate
# head_epochs = 10\t# after so many epochs of the head alone, at head_learning_rate
dense_units = [0, {dense_twice}]\t# units of a hidden layer in front of the softmax; 0 for none
dropout = {rates}\t# share of features dropped
flip = "none"\t# so that what the network makes of an image is computed once
"""
TAIL = """
# [compare]\t# where the winners are retrained and scored; else on dataset
# datasets = [{source}]
# [report]\t# more tables and figures
# pivots = [["model", "dropout"]]
"""
