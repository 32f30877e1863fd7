"""The chapter's training in PyTorch, a plain loop. `compare.py` runs it as it runs book.py."""

import sys

import torch
from torch import nn

import mnist

EPOCHS, BATCH_SIZE, TRAIN_SIZE = 10, 200, 48_000

hidden, dropout = [int(units) for units in sys.argv[1].split(",")], sys.argv[2] == "True"
torch.manual_seed(10)

(x_train, y_train), (x_test, y_test) = (
    (torch.from_numpy(x.reshape(-1, 784).astype("float32") / 255), torch.from_numpy(y).long())
    for x, y in mnist.load_data()
)
x_train, x_val = x_train.split([TRAIN_SIZE, len(x_train) - TRAIN_SIZE])
y_train, y_val = y_train.split([TRAIN_SIZE, len(y_train) - TRAIN_SIZE])

layers, inputs = [], 784
for units in hidden:
    layers += [nn.Linear(inputs, units), nn.ReLU()] + [nn.Dropout(0.5)] * dropout
    inputs = units
model = nn.Sequential(*layers, nn.Linear(inputs, 10))
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, std=0.05)
        nn.init.zeros_(layer.bias)
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), fused=True)


def evaluate(x, y):
    model.eval()
    with torch.no_grad():
        output = model(x)
        return loss_function(output, y).item(), (output.argmax(1) == y).float().mean().item()


for epoch in range(EPOCHS):
    model.train()
    for rows in torch.randperm(TRAIN_SIZE).split(BATCH_SIZE):
        optimizer.zero_grad()
        loss = loss_function(model(x_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
    print(epoch + 1, *evaluate(x_val, y_val), flush=True)
print("accuracy", evaluate(x_test, y_test)[1])
